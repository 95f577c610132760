//! Text in the encodings that `working-tree-encoding` names, as git and iconv write them.

use gix_filter::encoding::Encoding;

/// Whether the first byte of a number is the one that counts most.
#[derive(Clone, Copy)]
enum Order {
    Big,
    Little,
}

/// A text in an encoding. None for what is no UTF-8, has no such encoding, or one that is unknown.
pub(super) fn encode(content: &[u8], name: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content).ok()?;
    let name = name.to_ascii_lowercase();
    let (rest, marked) = match name.strip_suffix("-bom") {
        Some(rest) => (rest, true),
        None => (name.as_str(), false),
    };
    // A name without an order is written with a mark, in that of most machines.
    let (wide, order, marked) = match rest.replace("utf-", "utf").as_str() {
        "utf16" if !marked => (false, Order::Little, true),
        "utf16le" => (false, Order::Little, marked),
        "utf16be" => (false, Order::Big, marked),
        "utf32" if !marked => (true, Order::Little, true),
        "utf32le" if !marked => (true, Order::Little, false),
        "utf32be" if !marked => (true, Order::Big, false),
        "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" => {
            return text.chars().map(|c| u8::try_from(c).ok()).collect();
        }
        _ => return other(text, &name),
    };
    let mark = marked.then_some('\u{feff}').into_iter();
    let characters = mark.chain(text.chars());
    Some(if wide {
        characters.flat_map(|c| four(u32::from(c), order)).collect()
    } else {
        let mut units = [0; 2];
        let mut bytes = Vec::with_capacity(content.len() * 2);
        for character in characters {
            bytes.extend(character.encode_utf16(&mut units).iter().flat_map(|u| two(*u, order)));
        }
        bytes
    })
}

fn two(unit: u16, order: Order) -> [u8; 2] {
    match order {
        Order::Big => unit.to_be_bytes(),
        Order::Little => unit.to_le_bytes(),
    }
}

fn four(unit: u32, order: Order) -> [u8; 4] {
    match order {
        Order::Big => unit.to_be_bytes(),
        Order::Little => unit.to_le_bytes(),
    }
}

fn other(text: &str, name: &str) -> Option<Vec<u8>> {
    let encoding = Encoding::for_label(name.as_bytes())?;
    let (encoded, _, unmappable) = encoding.encode(text);
    (!unmappable).then(|| encoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_iconv_writes_them() {
        let text = "a\u{e9}\u{1f980}".as_bytes();
        for (name, expected) in [
            ("UTF-16LE", Some(&b"a\0\xe9\0\x3e\xd8\x80\xdd"[..])),
            ("UTF-16BE", Some(b"\0a\0\xe9\xd8\x3e\xdd\x80")),
            ("utf-16", Some(b"\xff\xfea\0\xe9\0\x3e\xd8\x80\xdd")),
            ("UTF-16BE-BOM", Some(b"\xfe\xff\0a\0\xe9\xd8\x3e\xdd\x80")),
            ("UTF-32LE", Some(b"a\0\0\0\xe9\0\0\0\x80\xf9\x01\0")),
            ("UTF-8", Some(text)),
            ("ISO-8859-1", None),
            ("no such", None),
        ] {
            assert_eq!(encode(text, name).as_deref(), expected, "{name}");
        }
        assert_eq!(encode("\u{e9}\u{81}".as_bytes(), "latin1").as_deref(), Some(&b"\xe9\x81"[..]));
        assert_eq!(encode("\u{448}".as_bytes(), "koi8-r").as_deref(), Some(&b"\xdb"[..]));
        assert_eq!(encode(b"\xff", "UTF-16LE"), None);
    }
}
