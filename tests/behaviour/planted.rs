//! The planted drift of generated data, found again in what a trained run has learned.

use std::path::Path;
use std::process::Command;

use peso_workbench::experiment::planted::Planted;

/// Two updates of users of whom most drift. Small, and easier than the demo: half of the latent space turns.
const PROJECT: &str = r#"(
    format: 1,
    name: "Planted",
    dataset: Synthetic(
        users: 300, items: 120, stages: 3, codes: 8, interactions: (14.0, 8.0), latent: 8, rotation_rank: 2, drift: 0.6,
        drifting_share: 0.8, arrivals: 0.0,
    ),
    base_model: Compact(width: 32, layers: 2, heads: 2, kv_heads: 2, ffn: 64, epochs: 6),
    training: (epochs: 3, batch: 32, learning_rate: 0.003, lora: (rank: 8, alpha: 16.0)),
    evaluation: (beams: 5, k: [1, 5], users: Sample(10)),
    experiments: [(name: "PESO", method: Peso())],
    seeds: [1],
)"#;

fn peso(arguments: &[&str], path: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The angle to the planted planes falls from update to update, and is below that of 95 % of random subspaces. This holds for
/// what is preferred otherwise (left) in this project. In the demo the left angle is below too, but falls with one seed of two.
/// Whose preferences change (right) is not asserted: with more users and stages, and in the demo, that side is no nearer to the planes
/// than random subspaces are.
#[test]
fn a_trained_run_comes_nearer_to_the_planted_planes_than_random_subspaces() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    peso(&["run", "--device", "cpu"], folder.path());
    let mut runs = std::fs::read_dir(folder.path().join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let run = runs.find(|run| run.file_name().unwrap().to_str().unwrap().starts_with("peso-s1-")).unwrap();
    let planted: Planted = serde_json::from_slice(&peso(&["subspace", "--truth", "--json"], &run)).unwrap();
    assert_eq!((planted.latent, planted.planted, planted.stages.len()), (8, 4, 2));
    let [first, second] = &planted.stages[..] else { panic!("two updates") };
    let left = [first.left.grassmann, second.left.grassmann];
    assert!(left[1] < left[0] && left[0] < planted.random_fifth, "{left:?}, random {}", planted.random_fifth);
    assert!(planted.random_fifth < planted.random_mean);
    // Not only the planes: the change goes the way of the planted turn.
    assert!(first.cosine > 0.3 && second.cosine > 0.3, "{} {}", first.cosine, second.cosine);

    let text = String::from_utf8(peso(&["subspace", "--truth"], &run)).unwrap();
    assert!(text.contains(&format!("{:.3}", left[1])) && text.contains("turns 4 of 8 latent dimensions"), "{text}");
}
