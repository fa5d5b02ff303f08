//! Which client has which user.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rand::distr::weighted::WeightedIndex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};

use crate::data::{Dataset, column_values};
use crate::error::InputError;
use crate::method::Federated;
use crate::method::federated::Split;
use crate::seeds;

/// Clients and their users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// Number of clients, those without users included.
    pub count: usize,
    /// By user of the dataset: the client, from 0.
    pub of_user: Vec<usize>,
}

impl Clients {
    /// Splits all users of a dataset, the same way for all stages; a path is taken from `folder`.
    ///
    /// # Errors
    /// The table of users that the split names cannot be used.
    pub fn of(dataset: &Dataset, options: &Federated, folder: &Path, seed: u64) -> Result<Self, InputError> {
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["clients"]));
        let count = options.clients.max(1);
        Ok(match &options.split {
            Split::Random => {
                Self { count, of_user: dataset.users.iter().map(|_| random.random_range(0..count)).collect() }
            }
            Split::Taste { alpha } => Self { count, of_user: by_taste(&tastes(dataset), count, *alpha, &mut random) },
            Split::Column { users } => {
                let (file, column) = users.rsplit_once(':').unwrap_or((users, ""));
                of_values(&column_values(Path::new(file), column, dataset, folder)?)
            }
        })
    }
}

/// Each user's taste: the first code that most of their interactions in all stages have, the lower of two; none of a user without.
fn tastes(dataset: &Dataset) -> Vec<Option<u32>> {
    let mut counts: Vec<BTreeMap<u32, usize>> = vec![BTreeMap::new(); dataset.users.len()];
    for sequence in dataset.stages.iter().flat_map(|stage| &stage.sequences) {
        let counts = &mut counts[sequence.user as usize];
        for &item in &sequence.items[sequence.current_from..] {
            let code = dataset.index.item(item).first().copied().unwrap_or(0);
            *counts.entry(code).or_default() += 1;
        }
    }
    let most = |counts: BTreeMap<u32, usize>| {
        counts.into_iter().max_by_key(|&(code, count)| (count, std::cmp::Reverse(code))).map(|(code, _)| code)
    };
    counts.into_iter().map(most).collect()
}

/// Every user's client, drawn from the shares of the user's taste, which are drawn from a symmetric Dirichlet distribution.
fn by_taste(tastes: &[Option<u32>], count: usize, alpha: f64, random: &mut ChaCha8Rng) -> Vec<usize> {
    let kinds: BTreeSet<Option<u32>> = tastes.iter().copied().collect();
    let shares: BTreeMap<Option<u32>, Option<WeightedIndex<f64>>> =
        kinds.into_iter().map(|taste| (taste, dirichlet(count, alpha, random))).collect();
    let client = |taste| match &shares[taste] {
        Some(shares) => shares.sample(random),
        None => 0,
    };
    tastes.iter().map(client).collect()
}

/// Shares of `count` from a symmetric Dirichlet distribution. With a small concentration all of them may round to nothing: then
/// one drawn at random has everything, which is what the distribution comes to.
fn dirichlet(count: usize, alpha: f64, random: &mut ChaCha8Rng) -> Option<WeightedIndex<f64>> {
    let gamma = Gamma::new(alpha, 1.0).ok()?;
    let mut shares: Vec<f64> = (0..count).map(|_| gamma.sample(random)).collect();
    if shares.iter().sum::<f64>() < f64::MIN_POSITIVE {
        shares.fill(0.0);
        shares[random.random_range(0..count)] = 1.0;
    }
    WeightedIndex::new(shares).ok()
}

/// A client a value, in the order of the values; users without one have a client of their own, the last.
fn of_values(values: &[Option<String>]) -> Clients {
    let names: BTreeSet<&String> = values.iter().flatten().collect();
    let places: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
    let unknown = usize::from(values.iter().any(Option::is_none));
    let client = |value: &Option<String>| value.as_ref().map_or(places.len(), |value| places[value]);
    Clients { count: places.len() + unknown, of_user: values.iter().map(client).collect() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::{Item, Sequence, Stage};
    use crate::semantic_id::SemanticIndex;

    /// As many users as asked for, of two tastes in turn, in two stages.
    fn dataset(users: u32) -> Dataset {
        let item = |user: u32| user % 2;
        let sequence = |user: u32, stage: usize| {
            let items = vec![item(user); 3 + stage];
            Sequence { user, items, current_from: stage }
        };
        Dataset {
            name: "tastes".to_owned(),
            items: (0..2).map(|id| Item { id: id.to_string(), title: None }).collect(),
            users: (0..users).map(|user| format!("u{user}")).collect(),
            index: SemanticIndex::from_numbers(2, &[0, 0, 3, 1]),
            stages: (0..2)
                .map(|stage| Stage { sequences: (0..users).map(|user| sequence(user, stage)).collect() })
                .collect(),
            synthetic: true,
            hash: String::new(),
        }
    }

    fn split(users: u32, options: &Federated, seed: u64) -> Clients {
        Clients::of(&dataset(users), options, Path::new(""), seed).unwrap()
    }

    /// Users of each client, by client.
    fn sizes(clients: &Clients) -> Vec<usize> {
        let of = |client| clients.of_user.iter().filter(|of| **of == client).count();
        (0..clients.count).map(of).collect()
    }

    #[test]
    fn every_user_has_one_client_which_the_seed_alone_decides() {
        for split_by in [Split::Random, Split::Taste { alpha: 0.3 }] {
            let options = Federated { clients: 8, split: split_by, ..Federated::default() };
            let clients = split(400, &options, 5);
            assert_eq!((clients.count, sizes(&clients).iter().sum::<usize>()), (8, 400));
            assert_eq!(clients, split(400, &options, 5));
            assert_ne!(clients, split(400, &options, 6));
        }
        let even = split(8000, &Federated { clients: 8, ..Federated::default() }, 1);
        // Five standard deviations of a binomial distribution.
        assert!(sizes(&even).into_iter().all(|size| (852..1148).contains(&size)), "{:?}", sizes(&even));
    }

    #[test]
    fn a_small_concentration_gives_each_taste_to_few_clients() {
        let largest = |alpha: f64| {
            let options = Federated { clients: 10, split: Split::Taste { alpha }, ..Federated::default() };
            let of_seed = |seed| {
                let clients = split(400, &options, seed);
                // Of the first taste alone.
                let of = |client| clients.of_user.iter().step_by(2).filter(|of| **of == client).count();
                (0..10).map(of).max().unwrap_or(0) as f64 / 200.0
            };
            (0..40).map(of_seed).sum::<f64>() / 40.0
        };
        let (skewed, mild, even) = (largest(0.01), largest(0.3), largest(1e4));
        assert!(skewed > 0.9 && (0.4..0.75).contains(&mild) && even < 0.2, "{skewed} {mild} {even}");
        assert!(largest(0.001) > 0.97, "all shares may round to nothing");
    }

    #[test]
    fn a_column_has_a_client_a_value_and_one_for_whom_it_says_nothing_of() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("users.csv"), "user_id,region\nu0,south\nu1,north\nu3,south\n").unwrap();
        let options = |column: &str| Federated {
            split: Split::Column { users: format!("users.csv:{column}") },
            ..Federated::default()
        };
        let of = |column: &str| Clients::of(&dataset(4), &options(column), folder.path(), 1);
        assert_eq!(of("region").unwrap(), Clients { count: 3, of_user: vec![1, 0, 2, 1] });
        assert!(of("age").unwrap_err().to_string().contains("age"));
    }
}
