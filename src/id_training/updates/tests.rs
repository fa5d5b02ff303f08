use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::id_training::observer::Unobserved;

const ITEMS: usize = 60;

/// Items in four groups, which in stage 2 lie a little elsewhere, and new ones among them.
fn vectors(items: usize, drift: f64) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let vector = |item: usize| -> Vec<f64> {
        let noise: Vec<f64> = (0..4).map(|_| random.random::<f64>()).collect();
        (0..4).map(|at| if at == item % 4 { 5.0 + drift * (item % 7) as f64 } else { 0.0 } + noise[at]).collect()
    };
    (0..items).map(vector).collect()
}

fn known(items: usize, drift: f64) -> Known<'static> {
    let placed = vectors(items, drift);
    let pairs = (0..ITEMS).map(|last| Pair { last, next: (last + 4) % ITEMS }).collect();
    let tests = (0..items).map(|last| Pair { last, next: (last + 4) % items }).collect();
    Known { anew: placed.clone(), placed, categories: vec![None; items], pairs, tests }
}

fn compared(known: &Known<'_>) -> (Comparison, StageFigures) {
    let options = TrainIds { levels: 3, codes: Some(8), ..TrainIds::default() };
    let mut comparison = Comparison::begin(&options, vectors(ITEMS, 0.0), &mut Unobserved).unwrap().unwrap();
    let figures = comparison.update(known, &mut Unobserved).unwrap().unwrap();
    (comparison, figures)
}

#[test]
fn ways_differ_in_what_they_move_and_in_what_that_costs() {
    let (comparison, figures) = compared(&known(80, 0.5));
    assert_eq!((figures.stage, figures.items, figures.new, figures.tests), (2, 80, 20, 80));
    let of = |way: Way| &figures.ways[way as usize];
    let append = of(Way::Append);
    assert_eq!((append.ids_moved, append.cost()), (0.0, Some(0.0)), "who moves nothing costs nothing");
    assert!(append.levels.iter().all(|level| (level.code_kept, level.prefix_kept) == (1.0, 1.0)));
    let (refresh, aligned) = (of(Way::Refresh), of(Way::Aligned));
    // Both begin with the ids of stage 1, and not to rename is one of the renamings.
    for (refresh, aligned) in refresh.levels.iter().zip(&aligned.levels) {
        assert!(aligned.code_kept >= refresh.code_kept);
    }
    assert!(aligned.levels[0].code_kept > refresh.levels[0].code_kept, "{figures:?}");
    assert_eq!((aligned.error, aligned.new_model.is_some()), (refresh.error, true), "renaming says no less");
    // Names are all that differs, so that a model that is fitted anew knows as much.
    assert!((aligned.new_model.unwrap() - refresh.new_model.unwrap()).abs() < 1e-9);
    assert!(of(Way::Dact).ids_moved <= dact::DRIFTING && of(Way::FineTune).ids_moved < refresh.ids_moved);
    assert!(refresh.cost() > append.cost());
    for way in Way::ALL {
        let ids: std::collections::BTreeSet<&[u32]> = comparison.ids(way).ids.chunks(3).collect();
        assert_eq!((ids.len(), of(way).sharing), (80, 0.0), "{}", way.name());
    }
}

#[test]
fn where_nothing_changes_a_refresh_moves_ids_and_dact_does_not() {
    let (_, figures) = compared(&known(ITEMS, 0.0));
    for way in [Way::Append, Way::Dact] {
        assert_eq!(figures.ways[way as usize].ids_moved, 0.0, "{}", way.name());
    }
    assert!(figures.ways[Way::Refresh as usize].ids_moved > 0.5, "{figures:?}");
}

#[test]
fn figures_are_the_same_every_time() {
    assert_eq!(compared(&known(80, 0.5)).1, compared(&known(80, 0.5)).1);
}
