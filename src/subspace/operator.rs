//! The operator by which preferences changed, from changes of scores; and how near random subspaces come to a given one.

use faer::{Mat, MatRef};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::angles::{orthonormal, principal_angles};
use crate::linalg::svd;

/// The operator `M` `[latent, latent]` for which `xᵢᵀ M pᵤ` comes closest (least squares) to the change of the score of item i for user
/// u, up to a constant of each item and of each user.
///
/// `change` is `[users, items]`, `preferences` are the `pᵤ` `[users, latent]`, `items` the `xᵢ` `[items, latent]`. The constants are taken
/// out by centring scores, preferences and items; where the users or items do not span the latent space, the smallest such operator.
///
/// # Panics
/// If there are values that are no numbers.
pub fn change_operator(change: MatRef<'_, f64>, preferences: MatRef<'_, f64>, items: MatRef<'_, f64>) -> Mat<f64> {
    let change = centred(centred(change).transpose());
    let (preferences, items) = (centred(preferences), centred(items));
    pseudo_inverse(items.as_ref()) * change * pseudo_inverse(preferences.as_ref()).transpose()
}

/// Each column less its mean.
fn centred(matrix: MatRef<'_, f64>) -> Mat<f64> {
    let rows = matrix.nrows();
    let mean = |column: usize| matrix.col(column).iter().sum::<f64>() / rows.max(1) as f64;
    let means: Vec<f64> = (0..matrix.ncols()).map(mean).collect();
    Mat::from_fn(rows, matrix.ncols(), |row, column| matrix[(row, column)] - means[column])
}

/// The Moore-Penrose inverse; singular values below `max(rows, columns) · ε` of the largest count as 0.
fn pseudo_inverse(matrix: MatRef<'_, f64>) -> Mat<f64> {
    let decomposed = svd(matrix);
    let largest = decomposed.values.first().copied().unwrap_or(0.0);
    let threshold = largest * matrix.nrows().max(matrix.ncols()) as f64 * f64::EPSILON;
    let inverse = |value: f64| if value > threshold { 1.0 / value } else { 0.0 };
    let v = &decomposed.v;
    let scaled = Mat::from_fn(v.nrows(), v.ncols(), |row, at| v[(row, at)] * inverse(decomposed.values[at]));
    scaled * decomposed.u.transpose()
}

/// Grassmann distances from a subspace (orthonormal columns) to random ones of as many dimensions, ascending.
pub fn random_distances(subspace: MatRef<'_, f64>, draws: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut distance = || {
        let drawn = normal(subspace.nrows(), subspace.ncols(), &mut random);
        principal_angles(subspace, orthonormal(drawn.as_ref()).as_ref()).grassmann()
    };
    let mut distances: Vec<f64> = (0..draws).map(|_| distance()).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// The angle between two operators as vectors, in radians; a right angle where one is zero.
pub fn angle(one: MatRef<'_, f64>, other: MatRef<'_, f64>) -> f64 {
    let lengths = one.norm_l2() * other.norm_l2();
    let product = (one.transpose() * other).diagonal().column_vector().sum();
    if lengths > 0.0 { (product / lengths).clamp(-1.0, 1.0).acos() } else { std::f64::consts::FRAC_PI_2 }
}

/// Angles from an operator to another one that is turned at random, `Q other Qᵀ`, ascending: the same turn in random planes.
pub fn random_angles(operator: MatRef<'_, f64>, other: MatRef<'_, f64>, draws: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = || {
        let basis = orthonormal(normal(operator.nrows(), operator.nrows(), &mut random).as_ref());
        angle(operator, (&basis * other * basis.transpose()).as_ref())
    };
    let mut angles: Vec<f64> = (0..draws).map(|_| drawn()).collect();
    angles.sort_by(f64::total_cmp);
    angles
}

fn normal(rows: usize, columns: usize, random: &mut ChaCha8Rng) -> Mat<f64> {
    let mut drawn = Mat::zeros(rows, columns);
    for column in 0..columns {
        drawn.col_mut(column).iter_mut().for_each(|value| *value = StandardNormal.sample(random));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
        normal(rows, columns, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn an_operator_is_found_again_whatever_constants_users_and_items_have() {
        let (users, items, operator) = (drawn(40, 6, 1), drawn(30, 6, 2), drawn(6, 6, 3));
        let constants = (drawn(40, 1, 4), drawn(1, 30, 5));
        let change = &users * operator.transpose() * items.transpose();
        let change =
            Mat::from_fn(40, 30, |user, item| change[(user, item)] + constants.0[(user, 0)] + constants.1[(0, item)]);
        let found = change_operator(change.as_ref(), users.as_ref(), items.as_ref());
        assert!((found - operator).norm_l2() < 1e-10);
    }

    #[test]
    fn a_planted_plane_is_found_under_noise_and_random_ones_are_far() {
        let (users, items) = (drawn(200, 8, 1), drawn(100, 8, 2));
        // A turn by a right angle in the plane of the first two axes, less the identity.
        let mut turned = Mat::zeros(8, 8);
        for (row, column, value) in [(0, 0, -1.0), (1, 1, -1.0), (1, 0, 1.0), (0, 1, -1.0)] {
            turned[(row, column)] = value;
        }
        let change = &users * turned.transpose() * items.transpose() + 2.0 * drawn(200, 100, 3);
        let operator = change_operator(change.as_ref(), users.as_ref(), items.as_ref());
        let found = svd(operator.as_ref());
        let plane = Mat::<f64>::identity(8, 2);
        let distance = principal_angles(found.u.subcols(0, 2), plane.as_ref()).grassmann();
        let angles = random_angles(operator.as_ref(), turned.as_ref(), 200, 5);
        assert!(angle(operator.as_ref(), turned.as_ref()) < 0.1 && angles[0] > 0.3 && angles.is_sorted());
        let random = random_distances(plane.as_ref(), 200, 4);
        assert!(distance < 0.1 && random[0] > 0.3, "{distance}, {}", random[0]);
        assert!(random.is_sorted() && random.len() == 200);
    }

    #[test]
    fn angles_of_operators_are_those_of_vectors() {
        let one = Mat::<f64>::identity(3, 3);
        let mut other = Mat::<f64>::zeros(3, 3);
        other[(0, 1)] = 2.0;
        assert!((angle(one.as_ref(), other.as_ref()).to_degrees() - 90.0).abs() < 1e-9);
        assert!((angle(one.as_ref(), (-2.0 * &one).as_ref()).to_degrees() - 180.0).abs() < 1e-6);
        assert_eq!(angle(one.as_ref(), Mat::zeros(3, 3).as_ref()), std::f64::consts::FRAC_PI_2);
    }

    #[test]
    fn users_that_span_a_part_of_the_space_give_the_smallest_operator() {
        let flat = drawn(40, 2, 1) * drawn(2, 6, 2);
        let (items, operator) = (drawn(30, 6, 3), drawn(6, 6, 4));
        let change = &flat * operator.transpose() * items.transpose();
        let found = change_operator(change.as_ref(), flat.as_ref(), items.as_ref());
        let both_centred = |matrix: MatRef<'_, f64>| centred(centred(matrix).transpose());
        let explained = &flat * found.transpose() * items.transpose();
        let rest = both_centred(explained.as_ref()) - both_centred(change.as_ref());
        assert!(rest.norm_l2() < 1e-9 * change.norm_l2());
        assert!(found.norm_l2() < operator.norm_l2() && svd(found.as_ref()).values[2] < 1e-9);
    }
}
