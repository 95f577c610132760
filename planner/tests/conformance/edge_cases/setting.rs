//! A row's `opts` as our options, and the images there are.

use ir::{ConfigFile, Digest, Facts, ImageFacts, ImageRequest, Platform, Span};
use kaniko_planner::{NamedContext, Options};
use serde_json::{Map, Value, json};

use crate::tiny;

/// What BuildKit was asked for, for one platform.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub(super) options: Options,
    opts: &'a Value,
}

impl<'a> Setting<'a> {
    /// Reads a row's options. Those that have no counterpart are left out: a row that depends on
    /// one is listed as different.
    pub(super) fn of(row: &'a Value, platform: &Platform) -> Self {
        let opts = &row["opts"];
        let known = [
            "buildArgs",
            "contexts",
            "dockerignore",
            "frontendOpts",
            "images",
            "missingImages",
            "platform",
            "target",
        ];
        let mut names = opts.as_object().unwrap().keys();
        assert!(names.all(|name| known.contains(&name.as_str())), "an option is new: {opts}");
        let mut options = tiny::options();
        options.platform = platform.clone();
        options.target = opts["target"].as_str().map(str::to_owned);
        let pairs = |name: &str| {
            let fields: Map<String, Value> = opts[name].as_object().cloned().unwrap_or_default();
            fields.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
        };
        options.build_args = pairs("buildArgs").collect();
        options.contexts = pairs("contexts").map(|(name, value)| (name, context(&value))).collect();
        for (name, value) in pairs("frontendOpts") {
            match name.as_str() {
                // The build argument is what the option is called on a command line.
                "hostname" => {
                    options.build_args.insert("BUILDKIT_SANDBOX_HOSTNAME".to_owned(), value);
                }
                "force-network-mode" => {
                    options.network = serde_json::from_value(json!(value)).unwrap();
                }
                "add-hosts" => {
                    let (name, address) = value.split_once('=').unwrap();
                    options.hosts.push((name.to_owned(), address.parse().unwrap()));
                }
                other => panic!("the front end has a new option {other}"),
            }
        }
        if let Some(text) = opts["dockerignore"].as_str() {
            options.ignore = grammar::parse_ignore(text).unwrap();
        }
        Self { options, opts }
    }

    /// Adds what a registry says about an image: the row's config or an empty one.
    pub(super) fn know(&self, request: ImageRequest, facts: &mut Facts) {
        let repository = request.reference.repository();
        let name = repository.strip_prefix("library/").unwrap_or(repository);
        let config = self.opts["images"].get(name).cloned().unwrap_or_else(|| {
            let Platform { os, architecture, .. } = &request.platform;
            json!({"os": os, "architecture": architecture})
        });
        let config: ConfigFile = serde_json::from_value(config).unwrap();
        let triggers = config.config.on_build.iter();
        let triggers = triggers.map(|text| grammar::parse_trigger(text, Span::default())).collect();
        // One for each image: images with one digest are one node.
        let number = u8::try_from(facts.images.len()).unwrap();
        let digest = Digest::from_bytes([number; 32]);
        facts.images.insert(request, ImageFacts { digest, config, triggers });
    }
}

/// The platforms of a row, at least one.
pub(super) fn platforms(row: &Value) -> Vec<Platform> {
    let list = row["opts"]["platform"].as_str().unwrap_or("linux/amd64");
    list.split(',').map(|platform| platform.parse().unwrap()).collect()
}

fn context(value: &str) -> NamedContext {
    if let Some(reference) = value.strip_prefix("docker-image://") {
        return NamedContext::Image(reference.parse().unwrap());
    }
    let remote = NamedContext::remote(value).unwrap();
    remote.unwrap_or(NamedContext::Local { ignore: Vec::new() })
}
