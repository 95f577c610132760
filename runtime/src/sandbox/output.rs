//! A command's output as lines.

use std::io;

use tokio::net::unix::pipe;
use tokio_util::sync::CancellationToken;

/// The longest line in bytes; what is longer arrives in pieces.
const MAX_LINE: usize = 64 << 10;

/// Passes the lines that arrive in a pipe on, until its end; or, once `ended` is cancelled (every
/// process of the step is dead), until it is empty: should something outside hold its other end,
/// that is not worth waiting for.
pub(super) async fn lines<Told: Future<Output = ()>>(
    pipe: pipe::Receiver,
    ended: CancellationToken,
    pass_on: impl Fn(String) -> Told,
) -> io::Result<()> {
    let mut splitter = Splitter::default();
    let mut buffer = vec![0; MAX_LINE];
    loop {
        let last = ended.is_cancelled();
        match pipe.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                let mut lines = Vec::new();
                splitter.push(&buffer[..read], &mut |line| lines.push(line.to_owned()));
                for line in lines {
                    pass_on(line).await;
                }
                // A pipe that is never empty must not keep whoever else is on this task waiting.
                tokio::task::yield_now().await;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if last {
                    break;
                }
                tokio::select! {
                    ready = pipe.readable() => ready?,
                    () = ended.cancelled() => {}
                }
            }
            Err(error) => return Err(error),
        }
    }
    let mut rest = None;
    splitter.finish(&mut |line| rest = Some(line.to_owned()));
    if let Some(line) = rest {
        pass_on(line).await;
    }
    Ok(())
}

/// Cuts bytes into lines. A line ends at `\n`, `\r\n`, or `\r` alone: what a progress bar
/// overwrites is a line of its own. Bytes that are no UTF-8 become replacement characters.
#[derive(Default)]
struct Splitter {
    pending: Vec<u8>,
    /// Whether the byte before was a `\r`, so that a `\n` that follows ends nothing.
    returned: bool,
}

impl Splitter {
    fn push(&mut self, bytes: &[u8], line: &mut impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if first == b'\n' && std::mem::take(&mut self.returned) {
                rest = &rest[1..];
                continue;
            }
            self.returned = false;
            let room = MAX_LINE - self.pending.len();
            let window = &rest[..rest.len().min(room)];
            let end = window.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            if let Some(end) = end {
                self.pending.extend_from_slice(&window[..end]);
                self.returned = window[end] == b'\r';
                self.flush(self.pending.len(), line);
                rest = &rest[end + 1..];
                continue;
            }
            self.pending.extend_from_slice(window);
            rest = &rest[window.len()..];
            if self.pending.len() == MAX_LINE {
                self.flush(whole_characters(&self.pending), line);
            }
        }
    }

    fn finish(mut self, line: &mut impl FnMut(&str)) {
        if !self.pending.is_empty() {
            self.flush(self.pending.len(), line);
        }
    }

    fn flush(&mut self, length: usize, line: &mut impl FnMut(&str)) {
        line(&String::from_utf8_lossy(&self.pending[..length]));
        self.pending.drain(..length);
    }
}

/// The length without a character that has only begun.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let begun = bytes[tail..].iter().rposition(|byte| byte & 0xc0 != 0x80);
    match begun.map(|position| tail + position) {
        Some(start) => match std::str::from_utf8(&bytes[start..]) {
            Err(error) if error.error_len().is_none() && start > 0 => start,
            Ok(_) | Err(_) => bytes.len(),
        },
        None => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut push = |line: &str| lines.push(line.to_owned());
        let mut splitter = Splitter::default();
        for chunk in chunks {
            splitter.push(chunk, &mut push);
        }
        splitter.finish(&mut push);
        lines
    }

    #[test]
    fn line_ends() {
        assert_eq!(split(&[b"a\nb\n"]), ["a", "b"]);
        assert_eq!(split(&[b"a\n\nb"]), ["a", "", "b"]);
        assert_eq!(split(&[b"10%\r20%\r\nend"]), ["10%", "20%", "end"]);
        assert_eq!(split(&[b"a\r", b"\nb\r\r\n"]), ["a", "b", ""]);
        assert_eq!(split(&[b"a\xffb"]), ["a\u{fffd}b"]);
        assert!(split(&[b""]).is_empty());
    }

    #[test]
    fn long_lines_come_in_pieces_of_whole_characters() {
        let long = "ä".repeat(MAX_LINE);
        let text = format!("x{long}\nend");
        let lines = split(&[text.as_bytes()]);
        assert!(lines.iter().all(|line| line.len() <= MAX_LINE));
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[..3].concat(), format!("x{long}"));
    }

    proptest! {
        #[test]
        fn where_reads_end_changes_nothing(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
            cut in 0_usize..60,
        ) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(split(&[&bytes]), split(&[&bytes[..cut], &bytes[cut..]]));
        }
    }
}
