//! Tests of the snapshotters.
