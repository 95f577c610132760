//! What the operations of a graph do to a root.
