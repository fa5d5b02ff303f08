//! Subspaces against NumPy, SciPy and 60-digit arithmetic; see `tests/fixtures/subspace/README.md`.

use std::path::{Path, PathBuf};

use faer::Mat;
use peso_workbench::subspace::angles::orthonormal;
use peso_workbench::subspace::spectrum::{effective_rank, stable_rank};
use peso_workbench::subspace::{
    Angles, Factors, Match, Side, Spectrum, in_common_frame, match_directions, movement, principal_angles,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::reference::reference_dir;

#[test]
fn angles_and_singular_values_match_the_reference() {
    let bytes = std::fs::read(reference_dir().join("subspace.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = |name: &str| -> Vec<f64> {
        let view = tensors.tensor(name).unwrap();
        assert_eq!(view.dtype(), safetensors::Dtype::F64);
        view.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let matrix = |name: &str| {
        let shape = tensors.tensor(name).unwrap().shape().to_vec();
        let values = values(name);
        Mat::from_fn(shape[0], shape[1], |row, column| values[row * shape[1] + column])
    };
    assert_close(&angles_of(&matrix("U"), &matrix("V")).radians, &values("principal_angles_rad"), 1e-8);
    let spectrum = Spectrum::of(&Factors { b: matrix("B"), a: matrix("A") });
    assert_close(&spectrum.values, &values("singular_values_of_BA"), 1e-8);
}

#[test]
fn angles_match_the_reference_of_near_parallel_and_rank_deficient_bases() {
    #[derive(Deserialize)]
    struct Case {
        scipy: Option<Vec<f64>>,
        exact: Vec<f64>,
    }
    let cases: Vec<Case> = fixture("subspace_angles.json");
    assert_eq!(cases.iter().filter(|case| case.scipy.is_some()).count(), 100);
    for (place, case) in cases.iter().enumerate() {
        let (a, b) = bases(place);
        let radians = angles_of(&a, &b).radians;
        if let Some(scipy) = &case.scipy {
            assert_close(&radians, scipy, 1e-8);
        }
        assert_close(&radians, &case.exact, 1e-13);
    }
}

#[test]
fn spectra_moves_and_matches_match_the_reference_of_whole_matrices() {
    #[derive(Deserialize)]
    struct Matches {
        left: Vec<Option<usize>>,
        right: Vec<Option<usize>>,
        both: Vec<Option<usize>>,
    }
    #[derive(Deserialize)]
    struct Case {
        values: Vec<f64>,
        effective_rank: f64,
        stable_rank: f64,
        moved: f64,
        inside_left: f64,
        inside_right: f64,
        inside_both: f64,
        cosine: f64,
        left_angles: Vec<f64>,
        right_angles: Vec<f64>,
        grassmann: f64,
        chordal: f64,
        overlap: f64,
        matches: Matches,
        product_sign: Vec<Option<f64>>,
    }
    let cases: Vec<Case> = fixture("updates.json");
    assert_eq!(cases.len(), 8);
    for (place, case) in cases.iter().enumerate() {
        let drawn = updates(place);
        // As they are, and turned into the frame that they share.
        for [before, now] in [drawn.clone(), in_common_frame(&drawn).try_into().unwrap()] {
            let spectra = [Spectrum::of(&before), Spectrum::of(&now)];
            let values = &spectra[1].values;
            assert_close(values, &case.values, 1e-10);
            assert_close(
                &[effective_rank(values), stable_rank(values)],
                &[case.effective_rank, case.stable_rank],
                1e-10,
            );
            let moved = movement(&before, &spectra[0], &now);
            let shares = [moved.norm, moved.inside_left, moved.inside_right, moved.inside_both];
            assert_close(&shares, &[case.moved, case.inside_left, case.inside_right, case.inside_both], 1e-10);
            assert_close(&[before.dot(&now) / (before.norm() * now.norm())], &[case.cosine], 1e-10);
            let left = principal_angles(spectra[0].left_subspace(), spectra[1].left_subspace());
            let right = principal_angles(spectra[0].right_subspace(), spectra[1].right_subspace());
            assert_close(&left.radians, &case.left_angles, 1e-8);
            assert_close(&right.radians, &case.right_angles, 1e-8);
            let distances = [left.grassmann(), left.chordal(), left.overlap().unwrap()];
            assert_close(&distances, &[case.grassmann, case.chordal, case.overlap], 1e-8);
            let matched = |side| match_directions(&spectra[0], &spectra[1], side);
            let partners =
                |side| -> Vec<_> { matched(side).into_iter().map(|found| found.map(|found| found.previous)).collect() };
            assert_eq!(partners(Side::Left), case.matches.left, "case {place}");
            assert_eq!(partners(Side::Right), case.matches.right, "case {place}");
            assert_eq!(partners(Side::Both), case.matches.both, "case {place}");
            let sign = |found: Match| (found.left * found.right).signum();
            let signs: Vec<_> = matched(Side::Both).into_iter().map(|found| found.map(sign)).collect();
            assert_eq!(signs, case.product_sign, "case {place}");
            assert!(matched(Side::Left).iter().flatten().all(|found| found.left >= 0.0));
            assert!(matched(Side::Right).iter().flatten().all(|found| found.right >= 0.0));
        }
    }
}

fn angles_of(one: &Mat<f64>, other: &Mat<f64>) -> Angles {
    principal_angles(orthonormal(one.as_ref()).as_ref(), orthonormal(other.as_ref()).as_ref())
}

fn assert_close(values: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(values.len(), expected.len(), "{values:?} instead of {expected:?}");
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() <= tolerance, "{value} instead of {expected}");
    }
}

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/subspace");
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

/// Entries from -1 to 1, the same bits everywhere.
struct Entries(u64);

impl Entries {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / 2f64.powi(52) - 1.0
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        let mut matrix = Mat::zeros(rows, columns);
        (0..rows).for_each(|row| (0..columns).for_each(|column| matrix[(row, column)] = self.next()));
        matrix
    }
}

/// The two bases of a case of `subspace_angles.json`.
fn bases(place: usize) -> (Mat<f64>, Mat<f64>) {
    let mut entries = Entries(place as u64);
    let (rows, of_a, of_b) = (6 + place % 19, 1 + place % 5, 1 + place / 5 % 5);
    let (mut a, mut b) = (entries.matrix(rows, of_a), entries.matrix(rows, of_b));
    let kind = if place < 100 { place % 4 } else { 3 };
    let exponent = if kind == 3 && place < 100 { 8 + place % 14 } else { 8 + place % 27 };
    let near = 0.5f64.powi(exponent as i32);
    let parallel = match kind {
        1 => of_a.min(of_b),
        3 => 1,
        _ => 0,
    };
    for row in 0..rows {
        for column in 0..parallel {
            b[(row, column)] = a[(row, column)] + near * b[(row, column)];
        }
        if kind == 2 && of_a > 1 {
            a[(row, of_a - 1)] = 2.0 * a[(row, 0)];
        }
    }
    (a, b)
}

/// The two updates of a case of `updates.json`.
fn updates(place: usize) -> [Factors; 2] {
    let mut entries = Entries(1000 + place as u64);
    let (output, input) = (8 + 5 * place, 11 + 3 * place);
    let ranks = [1 + place % 4, 2 + place % 3];
    let mut draw = |rank| Factors { b: entries.matrix(output, rank), a: entries.matrix(rank, input) };
    let (before, mut now) = (draw(ranks[0]), draw(ranks[1]));
    let alike = if place % 2 == 1 { ranks[0].min(ranks[1]) } else { 0 };
    for direction in 0..alike {
        let other = alike - 1 - direction;
        for row in 0..output {
            now.b[(row, direction)] = 0.125 * now.b[(row, direction)] - before.b[(row, other)];
        }
        for column in 0..input {
            now.a[(direction, column)] = before.a[(other, column)] + 0.125 * now.a[(direction, column)];
        }
    }
    [before, now]
}
