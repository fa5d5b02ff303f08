//! A proximal term as a metric: which groups it has, and how strongly it holds them.

use serde::{Deserialize, Serialize};

use super::term::proximal::has_metric;
use super::{Aggregation, Distance, Peso, Strength};
use crate::model::Adapter;
use crate::subspace::curvature::{Group, Metric};

/// How strongly a group is held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupStrength {
    /// The parameter that the group is, or lies in.
    pub parameter: String,
    /// `n_g`: values of the group.
    pub count: usize,
    /// The strength of an L2 penalty `½ λ_eff ‖v - v'‖²` that pulls as much: `lambda / n_g` for the softmax divergence at
    /// temperature 1 under a sum over groups; over modules' mean divided by their number once more.
    pub lambda_eff: f64,
    /// The least and the greatest `n_g p_i` of `p = softmax(v')`: near 1 both, the divergence is L2 without its mean.
    pub evenness: Option<(f64, f64)>,
}

/// Below this least `n p_i` a softmax group has values that the term does not see at all.
const MIN_EVENNESS: f64 = 1e-6;

/// All values of an adapter, parameter after parameter, in the order of [`Adapter::parameters`].
pub fn flattened(adapter: &Adapter) -> Vec<f64> {
    adapter.parameters().flat_map(|(_, matrix)| matrix.values.iter().map(|value| f64::from(*value))).collect()
}

/// The metric of a proximal term around the state that pulls, to second order and without its `lambda`, and how strongly
/// `lambda` holds each group.
///
/// # Errors
/// In words: the term has no metric.
pub fn metric(peso: &Peso, lambda: &Strength, anchor: &Adapter) -> Result<(Metric, Vec<GroupStrength>), String> {
    has_metric(peso.distance)?;
    let values = flattened(anchor);
    let modules = match peso.aggregation {
        Aggregation::Sum => 1.0,
        Aggregation::Mean => anchor.modules.len().max(1) as f64,
    };
    let (mut groups, mut names) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (name, matrix) in anchor.parameters() {
        let (rows, columns) = (matrix.rows, matrix.columns);
        let count = rows * columns;
        match peso.distance {
            Distance::SoftmaxKl { temperature } => {
                groups.push(Group::softmax_kl((first, 1, count), 1.0 / modules, temperature, &values));
            }
            Distance::PerRankKl { temperature } => {
                // A rank is a row of A and a column of B.
                let b = name.ends_with(Adapter::B);
                let ranks = if b { columns } else { rows };
                let index =
                    |rank: usize| if b { (first + rank, columns, rows) } else { (first + rank * columns, 1, columns) };
                groups
                    .extend((0..ranks).map(|rank| Group::softmax_kl(index(rank), 1.0 / modules, temperature, &values)));
            }
            Distance::L2 { per_element, .. } => {
                let elements = if per_element { count as f64 } else { 1.0 };
                groups.push(Group::identity(first, count, 1.0 / (modules * elements)));
            }
            Distance::Orthogonal | Distance::OutputKl | Distance::None => {}
        }
        names.resize(groups.len(), name);
        first += count;
    }
    let strengths: Vec<GroupStrength> =
        groups.iter().zip(names).map(|(group, name)| strength(lambda.of(&name), group, name)).collect();
    let uneven = |strength: &&GroupStrength| strength.evenness.is_some_and(|(min, _)| min < MIN_EVENNESS);
    match strengths.iter().find(uneven) {
        Some(group) => {
            Err(format!("the softmax over {} is so uneven that some values count as nothing", group.parameter))
        }
        None => Ok((Metric { groups }, strengths)),
    }
}

fn strength(lambda: f64, group: &Group, parameter: String) -> GroupStrength {
    let elements = if group.softmax.is_some() { group.count as f64 } else { 1.0 };
    GroupStrength {
        parameter,
        count: group.count,
        lambda_eff: lambda * group.weight / elements,
        evenness: group.evenness(),
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::method::term::{Proximal, on_device};
    use crate::model::adapter::{Matrix, Pair};

    fn adapter(seed: f32, size: f32) -> Adapter {
        let matrix = |rows, columns, phase: f32| {
            let value = |index: usize| size * (index as f32 * seed + phase).sin();
            Matrix { rows, columns, values: (0..rows * columns).map(value).collect() }
        };
        let pair = |phase| Pair { a: matrix(2, 5, phase), b: matrix(4, 2, phase + 1.0) };
        Adapter { modules: [("m".to_owned(), pair(0.0)), ("n".to_owned(), pair(2.0))].into() }
    }

    /// The metric is the term's second order, term by term as the trainer has it.
    #[test]
    fn half_the_squared_movement_is_the_penalty() {
        let (previous, direction) = (adapter(1.3, 0.5), adapter(2.7, 0.01));
        let mut current = previous.clone();
        let steps = flattened(&direction);
        let mut moves = steps.iter();
        for (_, matrix) in current.parameters_mut() {
            matrix.values.iter_mut().zip(moves.by_ref()).for_each(|(value, step)| *value += *step as f32);
        }
        let moved: Vec<f64> = flattened(&current).iter().zip(flattened(&previous)).map(|(v, w)| v - w).collect();
        for distance in [
            Distance::SoftmaxKl { temperature: 1.0 },
            Distance::SoftmaxKl { temperature: 0.5 },
            Distance::PerRankKl { temperature: 2.0 },
            Distance::L2 { squared: true, per_element: false },
            Distance::L2 { squared: true, per_element: true },
        ] {
            for aggregation in [Aggregation::Sum, Aggregation::Mean] {
                let peso = Peso { lambda: 3.0.into(), distance, aggregation, ..Peso::default() };
                let device = Default::default();
                let (now, before) = (on_device::<Flex>(&current, &device), on_device(&previous, &device));
                let pull = Proximal { lambda: 3.0, distance, aggregation }.pull(&now, &[before]);
                let (metric, _) = metric(&peso, &Strength::One(3.0), &previous).unwrap();
                let expected = 0.5 * 3.0 * metric.inner(&moved, &moved);
                let error = (pull.penalty / expected - 1.0).abs();
                assert!(error < 0.02, "{distance:?} {aggregation:?}: {} is not {expected}", pull.penalty);
            }
        }
    }

    #[test]
    fn a_group_is_held_by_lambda_over_its_size() {
        let previous = adapter(1.3, 1e-4);
        let strengths = |peso: Peso| metric(&peso, &Strength::One(2.0), &previous).unwrap().1;
        let sum = strengths(Peso::default());
        assert_eq!(sum.iter().map(|group| group.count).collect::<Vec<_>>(), [10, 8, 10, 8]);
        assert_eq!(sum[0].parameter, "m.lora_A.weight");
        assert!((sum[0].lambda_eff - 2.0 / 10.0).abs() < 1e-15 && (sum[1].lambda_eff - 2.0 / 8.0).abs() < 1e-15);
        let (min, max) = sum[0].evenness.unwrap();
        assert!(min > 0.999 && min < 1.0 && max > 1.0 && max < 1.001);
        let mean = strengths(Peso { aggregation: Aggregation::Mean, ..Peso::default() });
        assert!((mean[0].lambda_eff - 2.0 / 10.0 / 2.0).abs() < 1e-15, "two modules");
        let ranks = strengths(Peso { distance: Distance::PerRankKl { temperature: 0.5 }, ..Peso::default() });
        assert_eq!(ranks.len(), 8);
        assert!((ranks[0].lambda_eff - 4.0 * 2.0 / 5.0).abs() < 1e-12 && ranks[2].parameter == "m.lora_B.weight");
        let l2 = strengths(Peso { distance: Distance::L2 { squared: true, per_element: false }, ..Peso::default() });
        assert!(l2.iter().all(|group| group.lambda_eff == 2.0 && group.evenness.is_none()));
    }

    #[test]
    fn terms_without_a_metric_and_uneven_groups_are_refused() {
        for distance in [
            Distance::None,
            Distance::OutputKl,
            Distance::Orthogonal,
            Distance::L2 { squared: false, per_element: false },
        ] {
            assert!(
                metric(&Peso { distance, ..Peso::default() }, &Strength::One(2.0), &adapter(1.0, 1.0)).is_err(),
                "{distance:?}"
            );
            assert!(has_metric(distance).is_err());
        }
        let peaked = Distance::SoftmaxKl { temperature: 0.01 };
        let refused =
            metric(&Peso { distance: peaked, ..Peso::default() }, &Strength::One(2.0), &adapter(1.0, 1.0)).unwrap_err();
        assert!(refused.contains("m.lora_A.weight"), "{refused}");
    }
}
