//! The executor: asks the schedule, runs the node, tells it.
