//! Ctrl-C: the first time the state is saved, the second time the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::outcome::{INTERRUPTED, say};

/// A flag that Ctrl-C, or the request to end, raises; the second time ends at once.
pub(super) fn interruption(words: &'static str) -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    #[allow(clippy::exit, reason = "the user insists; the last checkpoint is whole whenever the process ends")]
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
        if !words.is_empty() {
            say(words);
        }
    })?;
    Ok(flag)
}
