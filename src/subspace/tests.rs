//! Properties that hold for all updates.

use faer::Mat;
use proptest::prelude::*;

use super::angles::orthonormal;
use super::movement::row_movement;
use super::spectrum::{effective_rank, stable_rank};
use super::*;
use crate::linalg::svd;

const TOLERANCE: f64 = 1e-9;

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Mat<f64>> {
    let entries = prop::collection::vec(-1.0..1.0f64, rows * columns);
    entries.prop_map(move |entries| Mat::from_fn(rows, columns, |row, column| entries[row * columns + column]))
}

/// An update of a weight `[9, 7]`.
fn update(rank: usize) -> impl Strategy<Value = Factors> {
    (matrix(9, rank), matrix(rank, 7)).prop_map(|(b, a)| Factors { b, a })
}

fn close(one: &[f64], other: &[f64]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| (one - other).abs() < TOLERANCE)
}

/// The rank-one parts of an update, which do not depend on the signs of singular vectors.
fn part(spectrum: &Spectrum, index: usize) -> Mat<f64> {
    spectrum.values[index] * spectrum.left.subcols(index, 1) * spectrum.right.subcols(index, 1).transpose()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_thin_decomposition_is_that_of_the_whole_update(update in update(3)) {
        let spectrum = Spectrum::of(&update);
        let whole = &update.b * &update.a;
        let dense = svd(whole.as_ref());
        prop_assert!(close(&spectrum.values, &dense.values[..3]));
        let sum = part(&spectrum, 0) + part(&spectrum, 1) + part(&spectrum, 2);
        prop_assert!((&sum - &whole).norm_l2() < TOLERANCE);
        prop_assert!((update.norm() - whole.norm_l2()).abs() < TOLERANCE);
        let unit = spectrum.left.transpose() * &spectrum.left;
        prop_assert!((unit - Mat::<f64>::identity(3, 3)).norm_l2() < TOLERANCE);
    }

    #[test]
    fn another_basis_within_the_factors_changes_nothing(update in update(3), other in update(2), turn in matrix(3, 3)) {
        // B M and M⁻¹ A are the same update; M stays far from singular.
        let turn = turn + 4.0 * Mat::<f64>::identity(3, 3);
        let inverse = { use faer::linalg::solvers::DenseSolveCore; turn.partial_piv_lu().inverse() };
        let same = Factors { b: &update.b * &turn, a: inverse * &update.a };
        let (spectrum, again, third) = (Spectrum::of(&update), Spectrum::of(&same), Spectrum::of(&other));
        prop_assert!(close(&spectrum.values, &again.values));
        let to = |spectrum: &Spectrum| principal_angles(spectrum.left_subspace(), third.left_subspace()).radians;
        prop_assert!(close(&to(&spectrum), &to(&again)));
        prop_assert!(same.minus(&update).norm() < TOLERANCE);
        prop_assert!((same.dot(&other) - update.dot(&other)).abs() < TOLERANCE);
    }

    #[test]
    fn angles_are_symmetric_and_those_to_itself_are_zero(one in matrix(9, 3), other in matrix(9, 2)) {
        let (one, other) = (orthonormal(one.as_ref()), orthonormal(other.as_ref()));
        let there = principal_angles(one.as_ref(), other.as_ref());
        prop_assert!(close(&there.radians, &principal_angles(other.as_ref(), one.as_ref()).radians));
        prop_assert!(there.radians.is_sorted() && there.radians.len() == one.ncols().min(other.ncols()));
        prop_assert!(there.chordal() <= there.grassmann() + TOLERANCE);
        let itself = principal_angles(one.as_ref(), one.as_ref());
        prop_assert!(itself.largest().unwrap() < 1e-14);
        prop_assert!((itself.overlap().unwrap() - 1.0).abs() < TOLERANCE);
    }

    #[test]
    fn a_turn_of_the_whole_space_keeps_angles(one in matrix(6, 2), other in matrix(6, 3), turn in matrix(6, 6)) {
        let turn = svd((turn + 3.0 * Mat::<f64>::identity(6, 6)).as_ref()).u;
        let turned = |basis: &Mat<f64>| orthonormal((&turn * basis).as_ref());
        let there = principal_angles(orthonormal(one.as_ref()).as_ref(), orthonormal(other.as_ref()).as_ref());
        let turned = principal_angles(turned(&one).as_ref(), turned(&other).as_ref());
        prop_assert!(close(&there.radians, &turned.radians));
    }

    #[test]
    fn the_common_frame_keeps_everything_between_updates(one in update(2), other in update(3)) {
        let framed = in_common_frame(&[one.clone(), other.clone()]);
        prop_assert!(framed[0].b.nrows() == 5 && framed[0].a.ncols() == 5);
        prop_assert!((framed[1].minus(&framed[0]).norm() - other.minus(&one).norm()).abs() < TOLERANCE);
        prop_assert!((framed[0].dot(&framed[1]) - one.dot(&other)).abs() < TOLERANCE);
        prop_assert!(close(&Spectrum::of(&framed[1]).values, &Spectrum::of(&other).values));
    }

    #[test]
    fn the_matching_of_a_permuted_copy_is_the_permutation(
        left in matrix(9, 4),
        right in matrix(7, 4),
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
        signs in prop::collection::vec(prop::bool::ANY, 4),
    ) {
        let (left, right) = (svd(left.as_ref()).u, svd(right.as_ref()).u);
        // Far apart singular values, so that the vectors are well defined.
        let spectrum = |order: &[usize], signs: &[bool]| {
            let sign = |index: usize| if signs[index] { -1.0 } else { 1.0 };
            let pick = |from: &Mat<f64>| Mat::from_fn(from.nrows(), 4, |row, at| sign(at) * from[(row, order[at])]);
            Spectrum { values: vec![8.0, 4.0, 2.0, 1.0], left: pick(&left), right: pick(&right) }
        };
        let before = spectrum(&[0, 1, 2, 3], &[false; 4]);
        let now = spectrum(&order, &signs);
        for side in [Side::Left, Side::Right, Side::Both] {
            for (index, found) in match_directions(&before, &now, side).into_iter().enumerate() {
                let found = found.unwrap();
                prop_assert_eq!(found.previous, order[index]);
                prop_assert!(close(&[found.left, found.right], &[1.0, 1.0]));
                prop_assert_eq!(found.sign < 0.0, signs[index]);
            }
        }
    }

    #[test]
    fn a_move_within_the_subspace_is_inside_and_one_outside_is_not(update in update(2), core in matrix(2, 2)) {
        let spectrum = Spectrum::of(&update);
        let inside = Factors { b: &update.b * (core + 2.0 * Mat::<f64>::identity(2, 2)), a: update.a.clone() };
        let moved = movement(&update, &spectrum, &inside);
        prop_assert!(close(&[moved.inside_left, moved.inside_right, moved.inside_both], &[1.0; 3]));
        // What is orthogonal to both of its sides.
        let whole = svd((&update.b * &update.a).as_ref());
        let beyond = Factors { b: whole.u.subcols(4, 1).to_owned(), a: whole.v.subcols(4, 1).transpose().to_owned() };
        let outside = Factors { b: -&beyond.b, a: beyond.a }.minus(&Factors { b: -&update.b, a: update.a.clone() });
        let moved = movement(&update, &spectrum, &outside);
        prop_assert!((moved.norm - 1.0).abs() < TOLERANCE);
        prop_assert!(close(&[moved.inside_left, moved.inside_right, moved.inside_both], &[0.0; 3]));
    }

    #[test]
    fn ranks_lie_between_one_and_the_number_of_directions(values in prop::collection::vec(0.01..5.0f64, 1..8)) {
        let mut values = values;
        values.sort_by(|one, other| other.total_cmp(one));
        let max = values.len() as f64 + TOLERANCE;
        prop_assert!((1.0 - TOLERANCE..=max).contains(&effective_rank(&values)));
        prop_assert!((1.0 - TOLERANCE..=max).contains(&stable_rank(&values)));
        let equal = vec![2.5; values.len()];
        prop_assert!(close(&[effective_rank(&equal), stable_rank(&equal)], &[values.len() as f64; 2]));
    }

    #[test]
    fn a_basis_shows_all_of_three_dimensions_and_does_not_depend_on_signs(
        space in matrix(8, 3), mix in matrix(3, 5), sign in prop::bool::ANY,
    ) {
        let directions = &space * &mix;
        let basis = shared_basis(directions.as_ref());
        prop_assert!((basis.explained.iter().sum::<f64>() - 1.0).abs() < TOLERANCE);
        prop_assert!(basis.explained.is_sorted_by(|one, other| one >= other));
        let lengths = basis.coordinates(directions.as_ref()).into_iter().map(|at| at.iter().map(|x| x * x).sum::<f64>());
        let expected = (0..5).map(|column| directions.col(column).squared_norm_l2());
        prop_assert!(close(&lengths.collect::<Vec<_>>(), &expected.collect::<Vec<_>>()));
        let turned = if sign { -&directions } else { directions };
        prop_assert!((shared_basis(turned.as_ref()).axes - basis.axes).norm_l2() < 1e-6);
    }
}

#[test]
fn an_update_of_zeros_has_no_directions_and_nothing_fails() {
    let zero = Factors { b: Mat::zeros(9, 2), a: Mat::from_fn(2, 7, |row, column| (row + 2 * column) as f64) };
    let some = Factors { b: Mat::from_fn(9, 2, |row, column| (row * row + column) as f64), a: zero.a.clone() };
    let spectra = [Spectrum::of(&zero), Spectrum::of(&some)];
    assert_eq!((spectra[0].rank(), spectra[1].rank()), (0, 2));
    assert_eq!((effective_rank(&spectra[0].values), stable_rank(&spectra[0].values)), (0.0, 0.0));
    let angles = principal_angles(spectra[0].left_subspace(), spectra[1].left_subspace());
    assert_eq!((angles.radians.len(), angles.largest(), angles.overlap()), (0, None, None));
    assert_eq!(match_directions(&spectra[0], &spectra[1], Side::Both), [None, None]);
    assert_eq!(match_directions(&spectra[1], &spectra[0], Side::Both), []);
    let moved = movement(&zero, &spectra[0], &some);
    assert!((moved.norm - some.norm()).abs() < TOLERANCE);
    assert_eq!((moved.inside_left, moved.inside_both), (0.0, 0.0));
    assert_eq!(movement(&some, &spectra[1], &some).inside_left, 0.0);
    assert_eq!(shared_basis(Mat::zeros(5, 2).as_ref()).explained, [0.0; 3]);
    assert_eq!(shared_basis(Mat::zeros(2, 0).as_ref()).axes.nrows(), 2);
}

#[test]
fn directions_below_the_rounding_of_float32_do_not_count() {
    let with = |second: f64| Factors {
        b: Mat::from_fn(3, 2, |r, c| f64::from(u8::from(r == c))),
        a: Mat::from_fn(2, 3, |r, c| {
            if r != c {
                0.0
            } else if r == 0 {
                1.0
            } else {
                second
            }
        }),
    };
    assert_eq!([1e-3, 1e-5, 1e-7, 0.0].map(|second| Spectrum::of(&with(second)).rank()), [2, 2, 1, 1]);
}

#[test]
fn rows_move_by_their_own_lengths() {
    let moved = row_movement(&[1.0, 0.0, 0.0, 2.0], &[1.0, 0.0, 3.0, -2.0], 2);
    assert_eq!(moved.rows, [0.0, 5.0]);
    assert_eq!((moved.norm_before, moved.norm), (5f64.sqrt(), 5.0));
}
