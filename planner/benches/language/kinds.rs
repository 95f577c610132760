//! The texts that are measured: each kind a function of a size, the same on every run.

use std::fmt::Write as _;

/// What is measured together.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The size that is measured, and then twice of it: lines, pairs or stages.
    pub(crate) size: usize,
    /// The Dockerfiles of a size.
    pub(crate) make: fn(usize) -> Vec<String>,
}

/// Every kind. Sizes are such that the larger text of most has about 10 MB.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "ordinary files", size: 3_500, make: ordinary },
    Kind { name: "stages, each from two others", size: 1_000, make: |n| vec![copying_stages(n)] },
    Kind { name: "stages that continue each other", size: 25_000, make: |n| vec![chain(n)] },
    Kind { name: "one stage from all others", size: 50_000, make: |n| vec![fan_in(n)] },
    Kind { name: "one RUN, continued", size: 125_000, make: |n| vec![one(n, "RUN a", RUN_LINE)] },
    Kind { name: "one RUN, one heredoc", size: 125_000, make: |n| vec![run_heredoc(n)] },
    Kind { name: "one COPY, one heredoc", size: 125_000, make: |n| vec![copy_heredoc(n)] },
    Kind { name: "one COPY of many sources", size: 250_000, make: |n| vec![sources(n)] },
    Kind { name: "one COPY of many heredocs", size: 125_000, make: |n| vec![heredocs(n)] },
    Kind { name: "one ENV", size: 125_000, make: |n| vec![one(n, "ENV", PAIR)] },
    Kind { name: "one LABEL", size: 125_000, make: |n| vec![one(n, "LABEL", PAIR)] },
    Kind { name: "one JSON array", size: 250_000, make: |n| vec![json(n)] },
    Kind { name: "many RUN", size: 125_000, make: |n| vec![many(n, "RUN echo", PAIR)] },
    Kind { name: "many RUN with a heredoc", size: 125_000, make: |n| vec![run_heredocs(n)] },
    Kind { name: "many RUN with mounts", size: 60_000, make: |n| vec![mounts(n)] },
    Kind { name: "many ENV", size: 125_000, make: |n| vec![many(n, "ENV", PAIR)] },
    Kind { name: "many LABEL", size: 125_000, make: |n| vec![many(n, "LABEL", PAIR)] },
    Kind { name: "many ARG", size: 125_000, make: |n| vec![many(n, "ARG", PAIR)] },
    Kind { name: "many COPY", size: 125_000, make: |n| vec![many(n, "COPY --chown=1:1", FILES)] },
    Kind { name: "many WORKDIR", size: 250_000, make: |n| vec![many(n, "WORKDIR /a", "/b")] },
    Kind { name: "many EXPOSE", size: 250_000, make: |n| vec![many(n, "EXPOSE 80", "")] },
    Kind { name: "many comments", size: 125_000, make: |n| vec![many(n, "#", RUN_LINE)] },
    Kind { name: "nested variables", size: 50_000, make: |n| vec![one(n, "ENV", NESTED)] },
    Kind { name: "unknown instructions", size: 250_000, make: |n| vec![many(n, "NOPE", "")] },
];

const RUN_LINE: &str = " && echo $x \"hello world\" && make install";
const PAIR: &str = "=\"hello world $x ${y:-z}\"";
const NESTED: &str = "=\"${a:-${b:+${c#${d%${e:-${f:-${g:-${h:-i}}}}}}}}\"";
const FILES: &str = "/source /some/where/else/";

/// A stage of `keyword` lines, numbered.
fn many(count: usize, keyword: &str, rest: &str) -> String {
    let mut text = "FROM scratch\n".to_owned();
    for number in 0..count {
        writeln!(text, "{keyword} name{number:06}{rest}").expect("strings take everything");
    }
    text
}

/// One instruction over many lines.
fn one(count: usize, keyword: &str, rest: &str) -> String {
    let mut text = format!("FROM scratch\n{keyword}");
    for number in 0..count {
        write!(text, " \\\n    name{number:06}{rest}").expect("strings take everything");
    }
    text.push('\n');
    text
}

/// What comes of each number.
fn each(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

fn body(count: usize) -> String {
    "   && echo $x \"hello world\" ${foo:-some}\n".repeat(count)
}

fn run_heredoc(count: usize) -> String {
    format!("FROM scratch\nRUN <<EOF\n{}EOF\n", body(count))
}

fn copy_heredoc(count: usize) -> String {
    format!("FROM scratch\nCOPY <<EOF /x\n{}EOF\n", body(count))
}

fn run_heredocs(count: usize) -> String {
    let one = |number| format!("RUN <<E{number}\n hello world $x ${{y\nE{number}\n");
    format!("FROM scratch\n{}", each(count, one))
}

fn sources(count: usize) -> String {
    let all = each(count, |number| format!(" \\\n source{number}"));
    format!("FROM scratch\nCOPY{all} /\n")
}

fn heredocs(count: usize) -> String {
    let openers = each(count, |number| format!(" \\\n <<E{number}"));
    let bodies = each(count, |number| format!("hello $x\nE{number}\n"));
    format!("FROM scratch\nCOPY{openers} /\n{bodies}")
}

fn json(count: usize) -> String {
    let words = each(count, |number| format!(" \"word {number}\", \\\n"));
    format!("FROM scratch\nRUN [ \\\n{words} \"last\"]\n")
}

fn mounts(count: usize) -> String {
    let mount = "--mount=type=cache,target=/var/cache/apt,sharing=locked";
    many(count, &format!("RUN {mount} --mount=type=bind,target=/src echo"), "")
}

/// Each stage copies from the one before and from one half as far.
fn copying_stages(count: usize) -> String {
    let stage = |number: usize| {
        let before = number.saturating_sub(1);
        format!(
            "FROM scratch AS s{number}\nCOPY --from=s{before} / /\nCOPY --from=s{} /x /y\n",
            before / 2
        )
    };
    let first = "FROM scratch AS s0\nCOPY x /\n".to_owned();
    std::iter::once(first).chain((1..count).map(stage)).collect()
}

/// Each stage continues the one before.
fn chain(count: usize) -> String {
    let stage = |number: usize| {
        let before = number - 1;
        format!("FROM s{before} AS s{number}\nCOPY --from=s{} / /\n", before / 2)
    };
    let first = "FROM scratch AS s0\nCOPY x /\n".to_owned();
    std::iter::once(first).chain((1..count).map(stage)).collect()
}

fn fan_in(count: usize) -> String {
    let stages = (0..count).map(|number| format!("FROM scratch AS s{number}\nCOPY x{number} /\n"));
    let copies = (0..count).map(|number| format!("COPY --from=s{number} / /\n"));
    stages.chain(["FROM scratch\n".to_owned()]).chain(copies).collect()
}

/// Files with the instructions of real ones: of 7,391 public Dockerfiles, 25 % have several
/// stages, and on an average there are 2.9 RUN, 1.4 COPY, 1.2 ENV, 1 ARG and half a WORKDIR a file.
fn ordinary(count: usize) -> Vec<String> {
    (0..count).map(ordinary_file).collect()
}

fn ordinary_file(number: usize) -> String {
    let mut text = String::from("# syntax=docker/dockerfile:1\n\n# Builds the program.\n");
    let several = number.is_multiple_of(4);
    if number.is_multiple_of(6) {
        text.push_str("ARG BASE_VERSION=3.20\nARG REGISTRY=docker.io\n");
    }
    if several {
        text.push_str(
            "FROM --platform=$BUILDPLATFORM golang:1.23-alpine AS build\n\
             ARG TARGETOS TARGETARCH\nWORKDIR /src\nCOPY go.mod go.sum ./\n\
             RUN --mount=type=cache,target=/go/pkg/mod go mod download\nCOPY . .\n\
             RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache \\\n    \
             CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/app ./cmd/app\n\n",
        );
    }
    writeln!(text, "FROM debian:bookworm-{number}-slim").expect("strings take everything");
    text.push_str("LABEL org.opencontainers.image.title=\"app\" maintainer='Some One <a@b.c>'\n");
    text.push_str("ARG VERSION=1.2.3\nENV APP_HOME=/opt/app PATH=\"/opt/app/bin:${PATH}\"\n");
    if number.is_multiple_of(5) {
        text.push_str("ENV LANG C.UTF-8\nENV VERSION=${VERSION:-latest} DEBUG=\"\"\n");
    }
    text.push_str(
        "RUN apt-get update && apt-get install -y --no-install-recommends \\\n        \
         # what the program needs\n        ca-certificates \\\n        curl=7.* \\\n        \
         libpq5 \\\n        tini \\\n    && rm -rf /var/lib/apt/lists/* \\\n    \
         && groupadd -r app && useradd -r -g app -d \"$APP_HOME\" app\nWORKDIR $APP_HOME\n",
    );
    for step in 0..number % 5 {
        writeln!(text, "RUN set -eux; curl -fsSL https://example.org/{step}.tar.gz | tar xz")
            .expect("strings take everything");
    }
    if number.is_multiple_of(30) {
        text.push_str("COPY <<EOF /etc/app.conf\nhome=$APP_HOME\nlevel=info\nEOF\n");
        text.push_str("RUN <<'EOF'\nset -e\necho \"$HOME\"\nEOF\n");
    }
    if several {
        text.push_str("COPY --from=build --chown=app:app /out/app /usr/local/bin/app\n");
    } else {
        text.push_str("COPY package.json yarn.lock ./\nCOPY --chown=app:app . .\n");
    }
    text.push_str("EXPOSE 8080 9090/udp\nUSER app\nENTRYPOINT [\"/usr/bin/tini\", \"--\"]\n");
    text.push_str("CMD [\"app\", \"--config\", \"/etc/app.conf\"]\n");
    text
}
