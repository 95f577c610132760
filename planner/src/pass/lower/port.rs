//! The arguments of `EXPOSE` (BuildKit `convert_expose.go`).

use std::net::IpAddr;

use ir::suggest;

const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];

/// Why an argument is refused, and what to do about it.
pub(super) type Refused = (String, String);
/// The parts of one argument, none of them checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port<'a> {
    /// Empty if there is none.
    pub(crate) ip: &'a str,
    /// A port or a range of the host; empty if there is none.
    pub(crate) host: &'a str,
    /// A port or a range of the container.
    pub(crate) ports: &'a str,
    /// As written; empty if there is none.
    pub(crate) protocol: &'a str,
}

impl<'a> Port<'a> {
    /// Splits `[[ip:]host:]port[-port][/protocol]`.
    pub(crate) fn split(spec: &'a str) -> Self {
        let (front, container) = spec.rsplit_once(':').unwrap_or(("", spec));
        let (ip, host) = front.rsplit_once(':').unwrap_or(("", front));
        let (ports, protocol) = container.split_once('/').unwrap_or((container, ""));
        Self { ip, host, ports, protocol }
    }

    /// What an image can hold of it, as it would be written.
    pub(crate) fn container(self) -> String {
        let Port { ports, protocol, .. } = self;
        if protocol.is_empty() { ports.to_owned() } else { format!("{ports}/{protocol}") }
    }
}

/// Reads `[[ip:]host:]port[-port][/protocol]` into one `port/protocol` for each container port.
///
/// Address and host port are checked and dropped: an image cannot hold them.
pub(super) fn parse(spec: &str) -> Result<Vec<String>, Refused> {
    let Port { ip, host, ports, protocol } = Port::split(spec);
    if ports.is_empty() {
        return refused(
            format!("`{spec}` names no port"),
            "write a port, such as `80` or `53/udp`",
        );
    }
    let protocol = match protocol.to_lowercase().as_str() {
        "" => "tcp".to_owned(),
        known if PROTOCOLS.contains(&known) => known.to_owned(),
        other => {
            let help = match suggest::nearest(other, PROTOCOLS) {
                Some(known) => format!("write `{ports}/{known}`"),
                None => format!("use one of `{}`", PROTOCOLS.join("`, `")),
            };
            return refused(format!("`{other}` is no protocol"), help);
        }
    };
    let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return refused(
            format!("`{ip}` is no IP address"),
            "leave it out: an image cannot hold it",
        );
    }
    let (first, last) = range(ports)?;
    if !host.is_empty() {
        let (host_first, host_last) = range(host)?;
        if last != first && last - first != host_last - host_first {
            let message = format!("the ranges `{ports}` and `{host}` differ in length");
            return refused(message, "leave the host's ports out: an image cannot hold them");
        }
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

fn refused<T>(message: String, help: impl Into<String>) -> Result<T, Refused> {
    Err((message, help.into()))
}

fn range(text: &str) -> Result<(u16, u16), Refused> {
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let port = digits.then(|| text.parse().ok()).flatten();
        let help = || "write a number from 0 to 65535".to_owned();
        port.ok_or_else(|| (format!("`{text}` is no port"), help()))
    };
    let (first, last) = match text.split_once('-') {
        Some(("", _)) | None => (port(text)?, port(text)?),
        Some((first, last)) => (port(first)?, port(last)?),
    };
    if last < first {
        let message = format!("the range `{text}` runs backwards");
        return refused(message, format!("write `{last}-{first}`"));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_become_container_ports() {
        for (spec, expected) in [
            ("80", "80/tcp"),
            ("86/TCP", "86/tcp"),
            ("82-84/udp", "82/udp 83/udp 84/udp"),
            ("127.0.0.1:1:2", "2/tcp"),
            ("[::1]:8-9:8", "8/tcp"),
            ("1:2", "2/tcp"),
            ("::1:2:3", "3/tcp"),
        ] {
            assert_eq!(parse(spec).unwrap().join(" "), expected, "{spec}");
        }
        for spec in
            ["", "/tcp", "-1", "70000", "80/foo", "2-1", "1-2-3", "x:1:2", "1-3:1-2", "+1", "1-"]
        {
            assert!(parse(spec).is_err(), "{spec}");
        }
    }
}
