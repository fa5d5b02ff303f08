//! Crash reports that are there.

use std::path::Path;

use super::Check;
use crate::crash::reports;
use crate::text::counted;

pub(super) fn checks() -> Vec<Check> {
    match reports::folder() {
        Some(folder) => vec![check(&folder)],
        None => vec![Check::note("reports", "the system names no folder for them", "set HOME, or XDG_STATE_HOME")],
    }
}

fn check(folder: &Path) -> Check {
    let found = reports::list(folder);
    let Some(newest) = found.last() else { return Check::fine("reports", "none") };
    let words = format!("{}, the newest is {}", counted(found.len(), "crash report"), newest.display());
    Check::note(
        "reports",
        words,
        "read them, and send them with `peso doctor --bundle report.zip`; they can be deleted",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn reports_are_counted_and_the_newest_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(folder.path()).state, State::Fine);
        for second in ["01", "02"] {
            std::fs::write(folder.path().join(format!("crash-2026-11-30T05-00-{second}Z-7.txt")), "").unwrap();
        }
        let found = check(folder.path());
        assert!(found.state == State::Note && found.found.starts_with("2 crash reports, the newest is "), "{found:?}");
        assert!(found.found.ends_with("crash-2026-11-30T05-00-02Z-7.txt"), "{found:?}");
    }
}
