//! File modes as `--chmod` takes them.

use ir::op::Mode;

/// An octal mode up to `7777`, or clauses as chmod(1) reads them: `u=rwX,go=rX`.
pub(crate) fn parse(text: &str) -> Option<Mode> {
    if !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        let mode = u32::from_str_radix(text, 8).ok()?;
        return (mode <= 0o7777).then_some(Mode::Octal(mode));
    }
    text.split(',').all(is_clause).then(|| Mode::Symbolic(text.to_owned()))
}

/// Whom, then one or more of an operator with what it sets: permissions, or whose are copied.
fn is_clause(clause: &str) -> bool {
    let actions = clause.trim_start_matches(['u', 'g', 'o', 'a']);
    let mut parts = actions.split(['+', '-', '=']);
    parts.next() == Some("")
        && actions.contains(['+', '-', '='])
        && parts.all(|part| {
            matches!(part, "u" | "g" | "o") || part.bytes().all(|byte| b"rwxXst".contains(&byte))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_or_clauses() {
        assert_eq!(parse("644"), Some(Mode::Octal(0o644)));
        assert_eq!(parse("07777"), Some(Mode::Octal(0o7777)));
        for mode in ["u=rwX,go=rX", "+x", "a-w", "g=u", "u+s-x", "o="] {
            assert_eq!(parse(mode), Some(Mode::Symbolic(mode.to_owned())), "{mode}");
        }
        for mode in ["", "10000", "9", "u", "x", "u=rw,", "u=gw", "z+x", "-"] {
            let expected = (mode == "-").then(|| Mode::Symbolic("-".to_owned()));
            assert_eq!(parse(mode), expected, "{mode}");
        }
    }
}
