//! Arguments into words, in the two ways that instructions split them.

use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::Fragment;

#[derive(Parser)]
#[grammar = "words.pest"]
struct Words;

/// Splits at blanks; quotes and escapes hold nothing together.
pub(crate) fn split(arguments: Fragment<'_>) -> Vec<Fragment<'_>> {
    let pairs = Words::parse(Rule::split, arguments.text()).expect("every text is a list of words");
    pairs
        .flatten()
        .filter(|pair| pair.as_rule() == Rule::item)
        .map(|pair| arguments.part(pair.as_span().start()..pair.as_span().end()))
        .collect()
}

/// Without the blanks before it at which [`split`] splits.
pub(crate) fn behind_blanks(text: Fragment<'_>) -> Fragment<'_> {
    let rest = text.text().trim_start_matches([' ', '\t', '\r', '\u{000B}', '\u{000C}']);
    text.from(text.text().len() - rest.len())
}

/// Splits at blanks outside quotes; quotes and escapes stay in the words.
pub(crate) fn quoted(arguments: Fragment<'_>, escape: char) -> Vec<Fragment<'_>> {
    let text = arguments.text();
    let ends = |c: char| c.is_whitespace() || c == '\'' || c == '"' || c == escape;
    let rule = if escape == '`' { Rule::backtick } else { Rule::backslash };
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        let start = text.len() - text[at..].trim_start().len();
        // Up to the first quote or escape, if it has one, a word is what it looks like.
        at = text[start..].find(ends).map_or(text.len(), |end| start + end);
        if text[at..].starts_with(|c: char| !c.is_whitespace()) {
            at += Words::parse(rule, &text[at..]).map_or(0, |pairs| pairs.as_str().len());
        }
        if at == start {
            // The end, or an escape there.
            return words;
        }
        words.push(arguments.part(start..at));
    }
}

/// Whether a word ends within a `${…}`, which blanks in it have cut in two.
pub(crate) fn is_cut(word: Fragment<'_>) -> bool {
    word.text().rfind("${").is_some_and(|at| !word.text()[at..].contains('}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span_map::Origin;

    fn check(text: &str, escape: char, expected: &[&str]) {
        let mut joined = Origin::Source.joined(0);
        joined.push(text, 0);
        let words: Vec<_> = quoted(joined.whole(), escape).iter().map(|word| word.text()).collect();
        assert_eq!(words, expected, "{text}");
    }

    #[test]
    fn quotes_and_escapes_hold_a_word_together() {
        check("a=b c=\"d e\" f='g h'", '\\', &["a=b", "c=\"d e\"", "f='g h'"]);
        check(r"a=b\ c d", '\\', &[r"a=b\ c", "d"]);
        check(r"a='b\' c", '\\', &[r"a='b\'", "c"]);
        check("a=b` c\\ d", '`', &["a=b` c\\", "d"]);
    }

    #[test]
    fn what_does_not_end_is_a_word_and_an_escape_at_the_end_is_dropped() {
        check("a=\"b c", '\\', &["a=\"b c"]);
        check("a='b c", '\\', &["a='b c"]);
        check("a=b\\", '\\', &["a=b"]);
        check("a=\"b\\", '\\', &["a=\"b\\"]);
        check("a \\", '\\', &["a"]);
        check("", '\\', &[]);
    }
}
