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

/// Whom, then one or more of an operator with what it sets: permissions, or whose are copied. Of
/// several that `=` sets and copies, BuildKit keeps some; that cannot be meant.
fn is_clause(clause: &str) -> bool {
    const OPERATORS: [char; 3] = ['+', '-', '='];
    let mut rest = clause.trim_start_matches(['u', 'g', 'o', 'a']);
    if !rest.starts_with(OPERATORS) {
        return false;
    }
    while let Some(operator) = rest.chars().next() {
        let action = &rest[1..];
        let (what, tail) = action.split_at(action.find(OPERATORS).unwrap_or(action.len()));
        let of = |known: &[u8]| what.bytes().all(|byte| known.contains(&byte));
        let copies = operator != '=' || what.len() == 1;
        let known = of(b"rwxXst") || copies && of(b"rwxXstugo");
        if !known {
            return false;
        }
        rest = tail;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_or_clauses() {
        assert_eq!(parse("644"), Some(Mode::Octal(0o644)));
        assert_eq!(parse("07777"), Some(Mode::Octal(0o7777)));
        for mode in ["u=rwX,go=rX", "+x", "a-w", "g=u", "u+s-x", "o=", "u+go", "go=u-w", "a-uX"] {
            assert_eq!(parse(mode), Some(Mode::Symbolic(mode.to_owned())), "{mode}");
        }
        for mode in ["", "10000", "9", "u", "x", "u=rw,", "u=gw", "z+x", "-"] {
            let expected = (mode == "-").then(|| Mode::Symbolic("-".to_owned()));
            assert_eq!(parse(mode), expected, "{mode}");
        }
    }
}
