//! Which nodes are ready, running, done: a state machine without threads.
