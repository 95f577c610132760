//! Arguments into words, in the two ways that instructions split them.

use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::Fragment;

#[derive(Parser)]
#[grammar = "words.pest"]
struct Words;

/// Splits at blanks; quotes and escapes hold nothing together.
pub(crate) fn split(arguments: Fragment<'_>) -> Vec<Fragment<'_>> {
    words(arguments, Rule::split, Rule::item)
}

/// Splits at blanks outside quotes; quotes and escapes stay in the words.
pub(crate) fn quoted(arguments: Fragment<'_>, escape: char) -> Vec<Fragment<'_>> {
    let rule = if escape == '`' { Rule::backtick } else { Rule::backslash };
    words(arguments, rule, Rule::word)
}

/// Whether a word ends within a `${…}`, which blanks in it have cut in two.
pub(crate) fn is_cut(word: Fragment<'_>) -> bool {
    word.text().rfind("${").is_some_and(|at| !word.text()[at..].contains('}'))
}

fn words(arguments: Fragment<'_>, list: Rule, of: Rule) -> Vec<Fragment<'_>> {
    let pairs = Words::parse(list, arguments.text()).expect("every text is a list of words");
    pairs
        .flatten()
        .filter(|pair| pair.as_rule() == of)
        .map(|pair| arguments.part(pair.as_span().start()..pair.as_span().end()))
        .collect()
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
