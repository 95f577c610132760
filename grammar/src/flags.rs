//! The head of an instruction: keyword, `--flags`, and where the arguments begin.

use std::collections::BTreeMap;
use std::ops::Range;

use ir::instruction::Text;
use ir::{Code, Diagnostic, Span, Template};
use pest::Parser as _;
use pest::iterators::Pairs;
use pest_derive::Parser;

use crate::span_map::{Fragment, Joined};
use crate::{suggest, template, words};

#[derive(Parser)]
#[grammar = "flags.pest"]
struct Words;

/// An instruction's line, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Head<'a> {
    /// As written.
    pub(crate) keyword: Fragment<'a>,
    /// In order.
    pub(crate) flags: Vec<Flag<'a>>,
    /// The rest, without blanks around it.
    pub(crate) arguments: Fragment<'a>,
}

/// A flag as it was given.
#[derive(Clone, Debug)]
pub(crate) struct Flag<'a> {
    /// As written, quotes and escapes included.
    pub(crate) written: Fragment<'a>,
    /// Without the `--`; quotes and escapes resolved.
    name: String,
    /// What stands behind the `=`; quotes and escapes resolved.
    value: Option<Joined>,
}

/// What kind of value a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `--name=value`, once.
    Text,
    /// `--name` or `--name=true`, once.
    Switch,
    /// `--name=value`, any number of times.
    List,
}

/// A flag that an instruction has.
pub(crate) type Spec = (&'static str, Kind);

/// Takes a logical line apart.
pub(crate) fn head(line: Fragment<'_>, escape: char) -> Head<'_> {
    let line = line.trim();
    let pairs = Words::parse(Rule::head, line.text()).expect("every text has a head");
    let mut rest = line.from(pairs.as_str().len());
    let keyword = pairs.flatten().find(|pair| pair.as_rule() == Rule::keyword);
    let keyword = line.part(0..keyword.map_or(0, |keyword| keyword.as_str().len()));
    let mut flags = Vec::new();
    loop {
        rest = words::behind_blanks(rest);
        if !rest.text().starts_with("--") {
            break;
        }
        let rule = if escape == '`' { Rule::flag_backtick } else { Rule::flag_backslash };
        let Ok(pairs) = Words::parse(rule, rest.text()) else { break };
        let written = rest.part(0..pairs.as_str().len());
        rest = rest.from(pairs.as_str().len());
        let word = written.select(&kept(pairs));
        if word.whole().text() == "--" {
            break;
        }
        flags.push(flag(written, &word));
    }
    Head { keyword, flags, arguments: rest.trim() }
}

/// What of a flag is left without its quotes and escapes.
fn kept(pairs: Pairs<'_, Rule>) -> Vec<Range<usize>> {
    let is_text =
        |rule| matches!(rule, Rule::taken | Rule::plain | Rule::in_single | Rule::in_double);
    pairs
        .flatten()
        .filter(|pair| is_text(pair.as_rule()))
        .map(|pair| pair.as_span().start()..pair.as_span().end())
        .collect()
}

fn flag<'a>(written: Fragment<'a>, word: &Joined) -> Flag<'a> {
    let word = word.whole();
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_joined())),
        None => (word, None),
    };
    let name = name.text().strip_prefix("--").unwrap_or(name.text()).to_owned();
    Flag { written, name, value }
}

/// The flags of an instruction, checked against what it has.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    flags: Vec<Flag<'a>>,
}

/// Where each flag that is given once was given.
type First<'s> = BTreeMap<&'s str, Span>;

impl<'a> Given<'a> {
    /// Keeps the good ones and reports the others.
    pub(crate) fn check(
        head: &Head<'a>,
        keyword: &str,
        specs: &[Spec],
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut flags: Vec<Flag<'a>> = Vec::new();
        let mut first = First::new();
        for flag in &head.flags {
            if let Some(problem) = problem(flag, keyword, specs, &first) {
                problems.push(problem);
            } else {
                first.entry(&flag.name).or_insert(flag.written.span());
                flags.push(flag.clone());
            }
        }
        Self { flags }
    }

    /// A flag that takes a value; an empty value is as good as none.
    pub(crate) fn one(&self, name: &str) -> Option<Fragment<'_>> {
        self.all(name).find(|value| !value.text().is_empty())
    }

    /// All values of a flag that may be repeated.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Fragment<'_>> {
        self.written(name).map(|(_, value)| value)
    }

    /// All uses of a flag: the whole of it, and its value.
    pub(crate) fn written(&self, name: &str) -> impl Iterator<Item = (Fragment<'a>, Fragment<'_>)> {
        let named = self.flags.iter().filter(move |flag| flag.name == name);
        named.filter_map(|flag| Some((flag.written, flag.value.as_ref()?.whole())))
    }

    /// The values of a flag that may be repeated, as text.
    pub(crate) fn texts(&self, name: &str) -> Vec<Text> {
        self.all(name).map(Fragment::to_text).collect()
    }

    /// A flag's value as a template.
    pub(crate) fn template(&self, name: &str, escape: char) -> Option<Template> {
        self.one(name).map(|value| template::word(value, escape))
    }

    /// A flag that is on or off.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        let flag = self.flags.iter().find(|flag| flag.name == name)?;
        let off = |value: &Joined| value.whole().text().eq_ignore_ascii_case("false");
        Some(!flag.value.as_ref().is_some_and(off))
    }
}

fn problem(
    flag: &Flag<'_>,
    keyword: &str,
    specs: &[Spec],
    first: &First<'_>,
) -> Option<Diagnostic> {
    let span = flag.written.span();
    let name = &flag.name;
    let Some((_, kind)) = specs.iter().find(|(known, _)| known == name) else {
        let shown = suggest::shown(name);
        let message = format!("`{keyword}` has no flag `--{shown}`");
        let diagnostic = Diagnostic::error(Code::UnknownFlag, span, message);
        if let Some(help) = suggest::about_unseen(name) {
            return Some(diagnostic.help(help));
        }
        let names = specs.iter().map(|(known, _)| *known);
        return Some(match suggest::nearest(name, names) {
            Some(known) => diagnostic.help(format!("write `--{known}`")),
            None if keyword == "ONBUILD" => {
                diagnostic.help("write the flag behind the instruction that is the trigger")
            }
            None if specs.is_empty() => diagnostic.help(format!(
                "to give `{keyword}` an argument that begins with `--`, write `--` before it"
            )),
            None => diagnostic.help(flags_of(keyword, specs)),
        });
    };
    if *kind != Kind::List
        && let Some(first) = first.get(name.as_str())
    {
        let message = format!("flag `--{name}` is repeated");
        return Some(
            Diagnostic::error(Code::DuplicateFlag, span, message)
                .label(*first, "first given here")
                .help("remove one of the two"),
        );
    }
    let value = flag.value.as_ref().map(|value| value.whole().text());
    match (kind, value) {
        (Kind::Text | Kind::List, None) => {
            let message = format!("flag `--{name}` needs a value");
            let help = format!("write `--{name}=` and the value, without a blank between them");
            Some(Diagnostic::error(Code::BadFlagValue, span, message).help(help))
        }
        (Kind::Text | Kind::List, Some(_)) | (Kind::Switch, None) => None,
        (Kind::Switch, Some(value)) => {
            let good = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
            let message = format!("flag `--{name}` is either `true` or `false`");
            (!good).then(|| {
                Diagnostic::error(Code::BadFlagValue, span, message)
                    .help(format!("write `--{name}`, or leave it out"))
            })
        }
    }
}

fn flags_of(keyword: &str, specs: &[Spec]) -> String {
    let names: Vec<_> = specs.iter().map(|(name, _)| format!("`--{name}`")).collect();
    format!("use one that `{keyword}` has: {}", names.join(", "))
}
