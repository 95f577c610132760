//! Which front end a file asks for: `# syntax=REFERENCE` (BuildKit `parser/directives.go`).

use std::ops::Range;

use ir::{Code, Diagnostic, Source, Span};

use crate::directive::{self, Rule};

/// The problem of a file that is written for another front end than this one.
///
/// `chosen` is the build argument `BUILDKIT_SYNTAX`, which overrides what the file says. Beside
/// the directive, this reads two forms for files of other languages: `//syntax=…` and a JSON
/// object with a `syntax`.
pub fn other_front_end(source: &Source, chosen: Option<&str>) -> Option<Diagnostic> {
    if let Some(chosen) = chosen.map(str::trim).filter(|chosen| !chosen.is_empty()) {
        let message =
            format!("`BUILDKIT_SYNTAX` asks for the front end `{chosen}`, which is not built in");
        let problem = Diagnostic::error(Code::OtherFrontEnd, Span::default(), message)
            .help("leave it out, or write `--build-arg BUILDKIT_SYNTAX=dockerfile.v0`");
        return (!is_built_in(chosen)).then_some(problem);
    }
    let (value, range) = asked(source.text())?;
    let message = format!("the file asks for the front end `{value}`, which is not built in");
    let problem =
        Diagnostic::error(Code::OtherFrontEnd, Span::new(range.start, range.end), message).help(
            "if it is a Dockerfile all the same, remove the directive, or override it with \
             `--build-arg BUILDKIT_SYNTAX=dockerfile.v0`",
        );
    (!is_built_in(&value)).then_some(problem)
}

/// Dockerfile's own front end, in whatever registry and of whatever version: what this one reads
/// is what the newest does. Behind the reference may stand arguments for it.
fn is_built_in(value: &str) -> bool {
    let reference = value.split(' ').next().unwrap_or_default();
    let name = reference.split('@').next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    matches!(name, "dockerfile" | "dockerfile-upstream" | "dockerfile.v0")
}

/// What a file asks for, and where.
fn asked(text: &str) -> Option<(String, Range<usize>)> {
    let bom = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let shebang = text[bom..].starts_with("#!");
    let first_line = text[bom..].split_inclusive('\n').next().unwrap_or_default();
    let start = if shebang { bom + first_line.len() } else { bom };
    let asked = in_comments(&text[start..], Rule::directive)
        .or_else(|| in_comments(&text[start..], Rule::slashes))
        .map(|(value, range)| (value, start + range.start..start + range.end));
    asked.or_else(|| {
        let value: serde_json::Value = serde_json::from_str(&text[start..]).ok()?;
        Some((
            value.get("syntax")?.as_str()?.to_owned(),
            start..start + first_line.trim_end().len(),
        ))
    })
}

/// The `syntax` among the directives at the top; any other line ends them.
fn in_comments(text: &str, rule: Rule) -> Option<(String, Range<usize>)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        let (name, value) = directive::pair(rule, content)?;
        if name == "syntax" {
            let range = at + indent + value.start..at + indent + value.end;
            return Some((content[value].to_owned(), range));
        }
        if !directive::is_known(&name) {
            return None;
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file asks for, if it is not this front end.
    fn other(text: &str) -> Option<String> {
        let source = Source::new("Dockerfile", text).unwrap();
        let problem = other_front_end(&source, None)?;
        Some(source.slice(problem.span).to_owned())
    }

    // rule: directive.syntax
    #[test]
    fn dockerfile_is_built_in_wherever_it_comes_from() {
        for reference in [
            "docker/dockerfile",
            "docker/dockerfile:1",
            "docker/dockerfile:1.7-labs",
            "docker/dockerfile-upstream:master",
            "docker.io/docker/dockerfile:1.4@sha256:00",
            "localhost:5000/mirror/docker/dockerfile:1",
            "registry.example.com/dockerfile@sha256:00",
            "docker/dockerfile:1 --some --arguments",
            "dockerfile.v0",
        ] {
            assert_eq!(other(&format!("# syntax={reference}\nFROM a\n")), None, "{reference}");
        }
        for reference in [
            "docker/buildfile",
            "dockerfile/other",
            "dockerfile2:1",
            "x/dockerfile.v1",
            "a/b:dockerfile",
        ] {
            let asked = other(&format!("# syntax={reference}\nFROM a\n"));
            assert_eq!(asked.as_deref(), Some(reference));
        }
    }

    #[test]
    fn a_front_end_is_asked_for_at_the_top_of_a_file() {
        for text in [
            "# syntax=other\n",
            "#syntax = other  \r\n",
            "\u{feff}# SYNTAX=other\n",
            "#!/usr/bin/env tool\n# syntax=other\n",
            "# escape=`\n# check=skip=all\n# syntax=other\nFROM a\n",
            "//syntax=other\n{}\n",
            "#!shebang\n// escape=x\n// syntax=other\n",
        ] {
            assert_eq!(other(text).as_deref(), Some("other"), "{text}");
        }
        let json = "{\n\"syntax\": \"other\"}";
        assert_eq!(other(json).as_deref(), Some("{"));
        for text in [
            "",
            "\n# syntax=other\n",
            "# comment\n# syntax=other\n",
            "# unknown=1\n# syntax=other\n",
            "FROM a\n# syntax=other\n",
            "# syntax=docker/dockerfile:1\n# syntax=other\n",
            "#!shebang\n\n# syntax=other\n",
            "# syntax=\nFROM a\n",
            "{\"syntax\": 1}",
            "[\"syntax\"]",
        ] {
            assert_eq!(other(text), None, "{text}");
        }
    }

    #[test]
    fn the_build_argument_overrides_the_file() {
        let source = Source::new("Dockerfile", "# syntax=other\nFROM a\n").unwrap();
        for (chosen, good) in [
            ("dockerfile.v0", true),
            (" docker/dockerfile:1 ", true),
            ("", false),
            ("another", false),
        ] {
            assert_eq!(other_front_end(&source, Some(chosen)).is_none(), good, "{chosen}");
        }
    }
}
