//! The nearest match for a misspelt word, the same on every run.

/// The candidate that takes the fewest edits; none if all are too far away. Of two equally near ones
/// the first in alphabetical order.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(length) <= 2)
        .map(|candidate| (distance(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(edits, candidate)| *edits <= if candidate.len() <= 4 { 1 } else { 2 })
        .filter(|(edits, _)| *edits < length)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Looks for the nearest names of a whole file, but not for any number of words: each time all names
/// are compared.
#[derive(Debug)]
pub struct Sparing {
    /// How often it still looks.
    left: usize,
}

impl Default for Sparing {
    fn default() -> Self {
        Self { left: 50 }
    }
}

impl Sparing {
    /// As [`nearest`]; none where it has looked often enough.
    pub fn nearest<'a>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        nearest(word, candidates)
    }
}

/// How many characters must be inserted, removed, changed, or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, from) in left.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let change = above[column] + usize::from(from != *to);
            let mut least = change.min(above[column + 1] + 1).min(line[column] + 1);
            if column > 0 && previous == Some(*to) && right[column - 1] == from {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
        previous = Some(from);
    }
    above[right.len()]
}

/// A word as a message shows it: control characters and overlong text are not printed.
pub fn shown(word: &str) -> String {
    const LONGEST: usize = 60;
    let printable = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    let mut text: String = word.chars().take(LONGEST).map(printable).collect();
    if word.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text
}

/// What to do about the first character of a word that looks like a blank, or like nothing, and
/// separates no words.
pub fn about_unseen(word: &str) -> Option<String> {
    const UNSEEN: [char; 3] = ['\u{200B}', '\u{2060}', '\u{FEFF}'];
    let is_unseen = |c: char| !c.is_ascii() && (c.is_whitespace() || UNSEEN.contains(&c));
    let odd = word.chars().find(|c| is_unseen(*c))?;
    let code = u32::from(odd);
    Some(if odd.is_whitespace() {
        format!("write a space instead of the character U+{code:04X}")
    } else {
        format!("remove the character U+{code:04X}, which cannot be seen")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_one_edit_and_ties_go_by_the_alphabet() {
        assert_eq!(nearest("RNU", ["USER", "RUN", "ENV"]), Some("RUN"));
        assert_eq!(nearest("AB", ["AC", "AA"]), Some("AA"));
        assert_eq!(nearest("SERVICE", ["USER", "RUN"]), None);
    }

    #[test]
    fn a_short_word_does_not_become_another_one_altogether() {
        assert_eq!(nearest("x", ["to"]), None);
        assert_eq!(nearest("foo", ["from"]), None);
        assert_eq!(nearest("u", ["e"]), None);
    }
}
