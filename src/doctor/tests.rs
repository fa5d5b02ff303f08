//! How checks are told.

use std::time::{Duration, Instant};

use super::*;

fn diagnosis() -> Diagnosis {
    let of = |group, check: Check| Check { group, ..check };
    Diagnosis::of(vec![
        of("Program", Check::fine("version", "1")),
        of("Folders", Check::note("settings", "/a, 5 MiB are free", "free some space")),
        of("Folders", Check::problem("é", "no", "do it")),
    ])
}

#[test]
fn a_check_is_a_line_with_its_advice_below() {
    let text = "Program\n  fine     version   1\nFolders\n  note     settings  /a, 5 MiB are free\n                     → free some space\n  \
                problem  é         no\n                     → do it\n\n1 problem and 1 note: the lines below each say what to do.\n";
    assert_eq!(diagnosis().to_text(), text);
    let json = serde_json::to_value(diagnosis()).unwrap();
    assert_eq!(json["checks"][1]["state"], "note");
    assert!(json["checks"][0].get("advice").is_none());
}

#[test]
fn the_summary_is_one_sentence_and_only_a_problem_is_one() {
    let Diagnosis { checks, .. } = diagnosis();
    let of = |count: usize| Diagnosis::of(checks[..count].to_vec());
    assert_eq!((of(1).summary.as_str(), of(1).has_problem()), ("No problem.", false));
    assert_eq!((of(2).summary.as_str(), of(2).has_problem()), ("No problem and 1 note.", false));
    assert!(of(3).has_problem());
}

#[test]
fn what_hangs_or_panics_is_not_waited_for() {
    assert_eq!(in_time(Duration::from_secs(60), || 7), Some(7));
    let began = Instant::now();
    assert_eq!(in_time(Duration::from_secs(60), || -> u8 { unreachable!("a driver fails") }), None);
    let hangs = || std::thread::sleep(Duration::from_secs(50));
    assert_eq!(in_time(Duration::from_millis(10), hangs), None);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}
