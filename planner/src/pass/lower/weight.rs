//! What the parts of a stage that are copied take from the budget.

use ir::ConfigFile;
use ir::graph::Stage;

use crate::budget::ENTRY;

/// A copy of a config.
pub(super) fn config(config: &ConfigFile) -> usize {
    let ConfigFile { config: container, history, rootfs, .. } = config;
    let texts = |texts: &[String]| texts.iter().map(|text| text.len() + ENTRY).sum::<usize>();
    let names = container.exposed_ports.keys().chain(container.volumes.keys());
    let labels = container.labels.iter().map(|(name, value)| name.len() + value.len() + ENTRY);
    texts(&container.env)
        + texts(container.cmd.as_deref().unwrap_or_default())
        + texts(container.entrypoint.as_deref().unwrap_or_default())
        + container.healthcheck.as_ref().map_or(0, |check| texts(&check.test))
        + names.map(|name| name.len() + ENTRY).sum::<usize>()
        + labels.sum::<usize>()
        + (history.len() + rootfs.diff_ids.len()) * ENTRY
}

/// What each instruction of a stage may repeat.
pub(super) fn carried(stage: &Stage) -> usize {
    let config = &stage.config.config;
    let shell = config.shell.iter().flatten().map(String::len).sum::<usize>();
    let name = stage.name.as_ref().map_or(0, String::len);
    config.working_dir.len() + config.user.len() + shell + name
}
