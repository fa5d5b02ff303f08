//! Named streams of one seed: each use of randomness has its own, so that none shifts another.

use sha2::{Digest, Sha256};

/// The seed of the stream `path` (names from coarse to fine) of a run's seed.
pub fn derive(seed: u64, path: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for name in path {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
    }
    let digest = hash.finalize();
    u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
}

#[cfg(test)]
mod tests {
    use super::derive;

    #[test]
    fn streams_differ_by_seed_name_and_depth() {
        let all = [derive(1, &["a"]), derive(2, &["a"]), derive(1, &["b"]), derive(1, &["a", "b"]), derive(1, &["ab"])];
        for (i, x) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|y| x != y), "streams {all:?}");
        }
        assert_eq!(derive(1, &["a"]), derive(1, &["a"]));
    }
}
