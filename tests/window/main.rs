//! The window as its users meet it: found by what is written on it, clicked and typed into, and looked at.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assertion or unwrap is how a test fails")]

mod comparing;
mod fixture;
mod importing;
mod looks;
mod moved;
mod pictures;
mod real_worker;
mod sweeping;
mod use_cases;
mod world;
