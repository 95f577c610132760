//! `kaniko build`

use std::time::Duration;

use ir::instruction::Security;
use ir::{Graph, Op, Source};
use runtime::CancellationToken;
use runtime::build::{BuildError, Settings};
use runtime::event::Events;
use runtime::image::push;
use runtime::layer::UnpackLimits;
use runtime::resolve::Images;
use runtime::sandbox::{Entered, Helper, Limits, Sandbox};
use runtime::snapshot::Ignored;
use runtime::store::Store;

use crate::arguments::{BuildArgs, ChangesArgs, Entitlement, MachineArgs, UnpackLimit};
use crate::command::place::Place;
use crate::command::{self, output, secret};
use crate::environment::Environment;
use crate::error::{CommandError, chain};
use crate::front::{self, Front, Plan};
use crate::ui::Ui;

/// Runs `kaniko build`.
pub(crate) fn run(
    ui: &mut Ui,
    environment: &Environment,
    args: &BuildArgs,
) -> Result<(), CommandError> {
    // Before anything is read: the files of a command whose builder was killed may be in the way.
    runtime::sandbox::swap_back().map_err(|error| {
        CommandError::user(format!("cannot move back what a builder had moved into `/`: {error}"))
    })?;
    let outputs = output::outputs(environment, &args.output)?;
    let compression = output::compression(&args.output)?;
    let secrets = secret::secrets(environment, &args.machine.secrets)?;
    let agents = secret::agents(environment, &args.machine.agents)?;
    let ignored = ignored(ui, &args.machine.changes)?;
    let epoch = environment.epoch().map_err(|value| {
        CommandError::user(format!("SOURCE_DATE_EPOCH is `{value}`, not a number of seconds"))
    })?;
    let front = front::read(ui, environment, &args.front)?;
    let client = command::registry::client(environment, &args.registry)?;
    let images = Images::new(client.clone(), front.layouts.clone());

    // Before the first thread: a process with several cannot enter a user namespace.
    let place = Place::open(&args.machine.place)?;
    let entered = place.enter().map_err(|error| CommandError::user(chain(&error)))?;

    tokio_runtime()?.block_on(async {
        let cancel = CancellationToken::new();
        let stopped = tokio::spawn(stop_on_signal(cancel.clone()));
        let facts = tokio::select! {
            facts = front::resolve(&front, &images) => facts?,
            () = cancel.cancelled() => return Err(interrupted(stopped).await),
        };
        let Plan { graph, epoch: planned } = front::plan(ui, &front, &facts)?;
        check_allowed(&front, &graph, &args.machine.allowed)?;
        if !args.output.skip_push_permission_check {
            tokio::select! {
                checked = push::check(&client, &outputs.push) => {
                    checked.map_err(|error| CommandError::user(chain(&error)))?;
                }
                () = cancel.cancelled() => return Err(interrupted(stopped).await),
            }
        }
        // The environment is nearer than the Dockerfile, and a build argument nearer still.
        let epoch = match front.options.build_args.get("SOURCE_DATE_EPOCH") {
            Some(_) => planned.or(epoch),
            None => epoch.or(planned),
        };
        let store =
            Store::open(&place.directory).map_err(|error| CommandError::user(chain(&error)))?;
        if !store.gives_files_away() {
            return Err(cannot_own(&place, &entered));
        }
        let settings = Settings {
            store,
            snapshotter: args.machine.snapshotter.into(),
            ignored,
            sandbox: Sandbox::new(entered, Helper::default()),
            limits: limits(&args.machine),
            compression,
            unpack_limits: unpack_limits(&args.machine.unpack_limits),
            created: epoch.unwrap_or_else(|| environment.now()),
            reproducible: epoch.is_some(),
            contexts: front.contexts.clone(),
            secrets,
            agents,
            known_hosts: environment.known_hosts(),
            outputs,
        };
        let build = Build { graph, images, settings, cancel: cancel.clone() };
        match build.run(ui, args).await {
            Ok(()) => Ok(()),
            Err(BuildError::Cancelled) => Err(interrupted(stopped).await),
            Err(error) => Err(build_error(&front, &error)),
        }
    })
}

/// Refuses what the Dockerfile asks for and is not allowed, as it would not be confined.
fn check_allowed(
    front: &Front,
    graph: &Graph,
    allowed: &[Entitlement],
) -> Result<(), CommandError> {
    if allowed.contains(&Entitlement::Insecure) {
        return Ok(());
    }
    let insecure = |op: &Op| matches!(op, Op::Run(run) if run.security == Security::Insecure);
    match graph.iter().find(|(_, node)| insecure(&node.op)) {
        None => Ok(()),
        Some((_, node)) => Err(CommandError::Build {
            message: "`RUN --security=insecure` is not allowed".to_owned(),
            help: vec![
                "remove the flag, or give `--allow security.insecure` if the Dockerfile may do \
                 whatever the builder may"
                    .to_owned(),
            ],
            place: Some((Box::new(Source::clone(&front.source)), node.origin.span)),
            status: 1,
        }),
    }
}

/// What no layer has. Tells of what is accepted without effect.
fn ignored(ui: &mut Ui, args: &ChangesArgs) -> Result<Ignored, CommandError> {
    if let Some(flags) = args.without_effect() {
        ui.warning(&format!("{flags} no effect: every change is found, whatever it is"));
    }
    Ignored::new(&args.ignored())
        .map_err(|error| CommandError::user(format!("--ignore-path: {error}")))
}

/// The usual limits, and over them those that were given.
fn unpack_limits(given: &[UnpackLimit]) -> UnpackLimits {
    given.iter().fold(UnpackLimits::default(), |limits, limit| match limit {
        UnpackLimit::Entries(entries) => UnpackLimits { entries: *entries, ..limits },
        UnpackLimit::Size(size) => UnpackLimits { size: Some(*size), ..limits },
    })
}

/// Why nothing can be built where files cannot be given to other users.
fn cannot_own(place: &Place, entered: &Entered) -> CommandError {
    let path = place.directory.display();
    CommandError::User {
        message: format!("cannot give files in `{path}` to the users that an image has"),
        help: match &entered.refusal {
            Some(refusal) => vec![refusal.to_string()],
            None => vec!["name a directory on another file system with `--kaniko-dir`".to_owned()],
        },
    }
}

/// A runtime for everything that waits: registries, commands, signals.
pub(crate) fn tokio_runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::user(format!("cannot start worker threads: {error}")))
}

struct Build {
    graph: Graph,
    images: Images,
    settings: Settings,
    cancel: CancellationToken,
}

impl Build {
    /// Builds, and shows what happens meanwhile.
    async fn run(self, ui: &mut Ui, args: &BuildArgs) -> Result<(), BuildError> {
        let mut view = ui.view(args.progress, &self.graph);
        let (events, mut received) = Events::channel();
        let build =
            runtime::build::build(self.graph, self.images, self.settings, events, self.cancel);
        let show = async {
            while let Some(event) = received.recv().await {
                view.show(&event);
            }
        };
        // The channel closes when the build drops its end, so that no event is lost.
        let (result, ()) = tokio::join!(build, show);
        view.close();
        result.map(|_| ())
    }
}

/// Waits for SIGINT or SIGTERM, stops the build, and says which it was.
async fn stop_on_signal(cancel: CancellationToken) -> i32 {
    use tokio::signal::unix::{SignalKind, signal};
    const SIGINT: i32 = 2;
    const SIGTERM: i32 = 15;
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        // Without handlers the signals end the process, which ends everything it started.
        return std::future::pending().await;
    };
    let number = tokio::select! {
        _ = interrupt.recv() => SIGINT,
        _ = terminate.recv() => SIGTERM,
    };
    cancel.cancel();
    number
}

async fn interrupted(stopped: tokio::task::JoinHandle<i32>) -> CommandError {
    let number = tokio::time::timeout(Duration::from_secs(1), stopped).await;
    let number = number.ok().and_then(Result::ok).unwrap_or_default();
    CommandError::Build {
        message: "the build was stopped".to_owned(),
        help: Vec::new(),
        place: None,
        status: u8::try_from(128 + number).unwrap_or(1),
    }
}

fn build_error(front: &Front, error: &BuildError) -> CommandError {
    let place = match error {
        BuildError::Node { origin, .. } => {
            Some((Box::new(Source::clone(&front.source)), origin.span))
        }
        BuildError::Snapshot(_)
        | BuildError::Export(_)
        | BuildError::Registry(_)
        | BuildError::OverlayWithoutMounts { .. }
        | BuildError::Cancelled
        | BuildError::Worker => None,
    };
    CommandError::Build { message: chain(error), help: Vec::new(), place, status: error.status() }
}

fn limits(args: &MachineArgs) -> Limits {
    Limits {
        resources: args.ulimits.clone(),
        // As with Docker, none is the default.
        shared_memory: args.shm_size.filter(|size| *size > 0),
    }
}
