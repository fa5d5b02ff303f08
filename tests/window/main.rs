//! The window as its users meet it: found by what is written on it, clicked and typed into, and looked at.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assertion or unwrap is how a test fails")]

mod analyses;
mod board;
mod comparing;
mod data;
mod decide;
mod editing;
mod exporting;
mod first_minutes;
mod fixture;
mod handing_over;
mod identity;
mod importing;
mod killed;
mod looks;
mod many_runs;
mod models;
mod moved;
mod pictures;
mod real_worker;
mod regimes;
mod room;
mod run_to_decision;
mod runs_in_hand;
mod semantic_ids;
mod snapshot;
mod steering;
mod sweeping;
mod telling;
mod use_cases;
mod world;
