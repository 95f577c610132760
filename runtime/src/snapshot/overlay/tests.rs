//! Tests of what only overlays have: two ways to mount them, and stacks that grow too tall.

use std::fs;

use super::*;
use crate::snapshot::tests::{Bench, contract, lines, manifest, path_of, step};

#[test]
fn joined_options_mount_the_same() {
    let bench = Bench::new();
    let base = bench.base();
    let scratch = bench.path().join("joined, with: marks\\");
    for mounter in [mount::Mounter::Joined, mount::Mounter::Configured] {
        let overlay = Overlay::with(
            Scratch::new(&scratch, CancellationToken::new()).unwrap(),
            mounter,
            TALLEST,
        );
        contract(&overlay, &base, &scratch);
    }
}

#[test]
fn tall_stacks_are_merged() {
    let bench = Bench::new();
    let base = bench.base();
    let scratch = bench.path().join("tall");
    let scratch = Scratch::new(&scratch, CancellationToken::new()).unwrap();
    let overlay = Overlay::with(scratch, mount::Mounter::Configured, 3);
    let mut snapshots = [
        (&overlay, overlay.base(&base).unwrap()),
        (&bench.overlay, bench.overlay.base(&base).unwrap()),
    ];
    for number in 0..7 {
        let changes = snapshots.each_mut().map(|(snapshotter, snapshot)| {
            let (next, changes) = step(*snapshotter, snapshot, ParentUse::Last, |root| {
                fs::write(root.join(format!("file-{number}")), number.to_string()).unwrap();
                fs::remove_file(root.join(format!("file-{}", number - 2))).ok();
            });
            *snapshot = next;
            let written = path_of(&changes.content).join(format!("file-{number}"));
            assert_eq!(fs::read(written).unwrap(), number.to_string().as_bytes());
            lines(&changes)
        });
        assert_eq!(changes[0], changes[1]);
    }
    let [merged, stacked] = snapshots.map(|(snapshotter, snapshot)| {
        let view = snapshotter.view(&snapshot).unwrap();
        (manifest(view.root()), overlay.stack(&snapshot).unwrap().layers.len())
    });
    assert_eq!(merged.0, stacked.0);
    assert!(merged.1 < 3 && stacked.1 == 8);
}

#[test]
fn as_many_layers_as_promised_can_be_mounted() {
    let bench = Bench::new();
    for mounter in [mount::Mounter::Joined, mount::Mounter::Configured] {
        let scratch = bench.path().join(format!("{mounter:?}"));
        let overlay = Overlay::with(
            Scratch::new(&scratch, CancellationToken::new()).unwrap(),
            mounter,
            TALLEST,
        );
        let layers: Vec<Layer> = (1..overlay.shared.tallest)
            .map(|_| {
                let Snapshot::Overlay(stack) = overlay.scratch().unwrap() else { unreachable!() };
                stack.top().clone()
            })
            .collect();
        let tall = Snapshot::Overlay(Arc::new(Stack { layers }));
        overlay.begin(&tall, ParentUse::Last).unwrap();
    }
}
