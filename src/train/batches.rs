//! The order of training: every epoch shuffles the users' sequences and cuts them into steps.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::model::packing::Sequence;
use crate::seeds;

/// Steps of an epoch: each is a list of places in the sequences, with at least `batch` targets but in the last.
pub fn epoch(sequences: &[Sequence], batch: usize, seed: u64, stream: &str, epoch: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["order", stream, &epoch.to_string()])));
    let mut steps = vec![];
    let (mut step, mut targets) = (vec![], 0);
    for index in order {
        step.push(index);
        targets += sequences[index].branches.len();
        if targets >= batch {
            steps.push(std::mem::take(&mut step));
            targets = 0;
        }
    }
    if !step.is_empty() {
        steps.push(step);
    }
    steps
}

/// Cuts a step's sequences into so many pieces of about equally many targets, fewer where it has fewer. A sequence whose
/// targets fall into two pieces is in both, each time with no more of its history than they need.
pub fn pieces(sequences: Vec<Sequence>, max: usize) -> Vec<Vec<Sequence>> {
    if max <= 1 {
        return vec![sequences];
    }
    let targets: usize = sequences.iter().map(|sequence| sequence.branches.len()).sum();
    let max = max.min(targets.max(1));
    let mut pieces: Vec<Vec<Sequence>> = vec![Vec::new(); max];
    let mut done = 0;
    for Sequence { prefix, branches } in sequences {
        let mut here: Option<usize> = None;
        for branch in branches {
            let index = done * max / targets;
            done += 1;
            if here != Some(index) {
                here = Some(index);
                pieces[index].push(Sequence { prefix: prefix.clone(), branches: Vec::new() });
            }
            if let Some(sequence) = pieces[index].last_mut() {
                sequence.branches.push(branch);
            }
        }
    }
    for sequence in pieces.iter_mut().flatten() {
        let read = sequence.branches.iter().map(|branch| branch.at).max().unwrap_or(0);
        sequence.prefix.truncate(read);
    }
    pieces
}

/// A uniform sample of so many of the sequences' targets, each with its own sequence's history; all where there are not
/// more.
pub fn sample(sequences: Vec<Sequence>, targets: usize, seed: u64) -> Vec<Sequence> {
    let all: usize = sequences.iter().map(|s| s.branches.len()).sum();
    let mut chosen = vec![true; all];
    if targets < all {
        chosen[targets..].fill(false);
        chosen.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    }
    let mut chosen = chosen.into_iter();
    let thinned = |mut sequence: Sequence| {
        sequence.branches.retain(|_| chosen.next().unwrap_or(false));
        (!sequence.branches.is_empty()).then_some(sequence)
    };
    sequences.into_iter().filter_map(thinned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packing::Branch;

    #[test]
    fn pieces_have_every_target_once_and_no_more_history_than_they_need() {
        let branch = |at: usize, target: u32| Branch { targets: vec![target], ..Branch::unscored(at, vec![0]) };
        let sequences = vec![
            Sequence { prefix: (0..9).collect(), branches: (0..5).map(|i| branch(i as usize + 1, i)).collect() },
            Sequence { prefix: vec![7, 8], branches: vec![branch(2, 5)] },
        ];
        let pieces = pieces(sequences.clone(), 3);
        let targets = |piece: &Vec<Sequence>| -> Vec<u32> {
            piece.iter().flat_map(|s| s.branches.iter().map(|b| b.targets[0])).collect()
        };
        assert_eq!(pieces.iter().map(targets).collect::<Vec<_>>(), [[0, 1], [2, 3], [4, 5]]);
        assert_eq!(pieces[1][0].prefix, [0, 1, 2, 3], "as far as the last target's branch");
        assert_eq!(pieces[2][1], sequences[1]);
        assert_eq!(super::pieces(sequences.clone(), 100).len(), 6, "no piece is empty");
        assert_eq!(super::pieces(sequences.clone(), 1), [sequences]);
    }

    #[test]
    fn an_epoch_has_every_sequence_once_and_full_steps() {
        let branch = Branch { targets: vec![0], ..Branch::unscored(0, vec![0]) };
        let sequences: Vec<Sequence> =
            (0..50).map(|i| Sequence { prefix: vec![], branches: vec![branch.clone(); 1 + i % 4] }).collect();
        let steps = epoch(&sequences, 8, 1, "stage 2", 0);
        let mut all: Vec<usize> = steps.concat();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        let targets = |step: &Vec<usize>| step.iter().map(|&i| sequences[i].branches.len()).sum::<usize>();
        assert!(steps[..steps.len() - 1].iter().all(|s| (8..12).contains(&targets(s))));
        assert_ne!(steps, epoch(&sequences, 8, 1, "stage 2", 1), "epochs differ");
        assert_ne!(steps, epoch(&sequences, 8, 2, "stage 2", 0), "seeds differ");
        assert_eq!(steps, epoch(&sequences, 8, 1, "stage 2", 0));
    }
}
