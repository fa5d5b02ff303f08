//! `peso`: the workbench, still without commands.

fn main() {}
