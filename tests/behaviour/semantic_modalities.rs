//! Text and image of the project in `projects/modalities`, of whose items it is planted what each shows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use peso_workbench::id_training::modalities::Modalities;
use peso_workbench::project::Project;
use peso_workbench::semantic_id::Manifest;
use peso_workbench::train::semantic_ids::IdFiles;

use crate::semantic_growth::refused;
use crate::semantic_ids::{index, peso};

/// The project in a folder of its own.
fn project() -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/modalities");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for file in
        ["project.ron", "data/shop.inter", "data/shop.item", "data/image.npy", "data/image.ids.txt", "data/planted.csv"]
    {
        fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn edit(folder: &Path, from: &str, to: &str) {
    let file = folder.join("project.ron");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(file, text.replace(from, to)).unwrap();
}

fn compared(folder: &Path) -> (Modalities, String) {
    let output = peso(folder, &["semantic-ids", ".", "--modalities", "--json"]);
    (serde_json::from_slice(&output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_is_planted_is_found() {
    let folder = project();
    let folder = folder.path();
    let planted = fs::read_to_string(folder.join("data/planted.csv")).unwrap();
    let kinds: BTreeMap<&str, &str> = planted
        .lines()
        .skip(1)
        .map(|line| (line.split(',').next().unwrap(), line.split(',').nth(2).unwrap()))
        .collect();
    let (found, words) = compared(folder);
    assert!(words.contains("10 of 400 items have no vector in image"), "{words}");
    assert_eq!((found.items, found.parts[0].lacking, found.parts[1].lacking), (400, 0, 10));
    let mean = |kind: &str, value: &dyn Fn(&peso_workbench::id_training::modalities::ItemFigures) -> Option<f64>| {
        let of_kind = found.each.iter().filter(|item| kinds[item.item.as_str()] == kind);
        let values: Vec<f64> = of_kind.filter_map(value).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let pair = &found.pairs[0];
    let agreement = |kind: &str| mean(kind, &|item| item.agreement[0]);
    assert!(agreement("both") > 8.0 * pair.chance, "{} {}", agreement("both"), pair.chance);
    for kind in ["text", "image", "apart"] {
        // An item whose sources have nothing in common agrees about by chance.
        assert!(agreement(kind) < 3.0 * pair.chance, "{kind}: {} {}", agreement(kind), pair.chance);
    }
    assert!(pair.alignment.unwrap() > 2.0 * pair.alignment_by_chance.unwrap(), "{pair:?}");
    // Items that are told by their text alone lose their companions without it.
    let [text, image, seeds] = [0, 1, 2];
    assert_eq!(found.changes.iter().map(|change| change.without).collect::<Vec<_>>(), [Some(0), Some(1), None]);
    let kept = |kind: &str, change: usize| mean(kind, &|item| Some(item.companions[change]));
    assert!(kept("text", text) < kept("text", image), "{} {}", kept("text", text), kept("text", image));
    // One whose image is of another group lies there by both; without the image it goes back to the group of its text.
    assert!(kept("apart", image) < kept("apart", seeds) - 0.2, "{} {}", kept("apart", image), kept("apart", seeds));
    let index = |change: usize| found.changes[change].levels[0].rand_index;
    assert!(index(text) < index(seeds) && index(image) < index(seeds), "{:?}", found.changes);

    // Figures need no run; what is kept is not made again, and is when it is of something else.
    peso(folder, &["export", ".", "--figure", "modalities", "--to", "figures"]);
    for name in ["agreement", "groups", "least", "moved"] {
        let csv = fs::read_to_string(folder.join(format!("figures/modalities-{name}.csv"))).unwrap();
        assert!(csv.lines().count() > 2, "{csv}");
    }
    let place = IdFiles::of(&Project::load(folder).unwrap()).unwrap();
    let written = fs::metadata(&place.modalities).unwrap().modified().unwrap();
    let text = String::from_utf8(peso(folder, &["semantic-ids", ".", "--modalities", "--explain"]).stdout).unwrap();
    assert!(text.contains("text – image") && text.contains("another seed, mean of 3"), "{text}");
    assert_eq!(compared(folder).0, found);
    assert_eq!(fs::metadata(&place.modalities).unwrap().modified().unwrap(), written);
    let ids = fs::read_to_string(folder.join("data/image.ids.txt")).unwrap();
    let mut ids: Vec<&str> = ids.lines().collect();
    // In an order that has nothing to do with the groups, which come one after the other.
    ids.sort_by_key(|id| id.bytes().fold(7_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)));
    fs::write(folder.join("data/image.ids.txt"), ids.join("\n")).unwrap();
    let (other, _) = compared(folder);
    assert!(other.pairs[0].agreement < 2.0 * other.pairs[0].chance, "images of other items: {:?}", other.pairs[0]);
}

#[test]
fn names_of_sources_change_no_id_and_stand_in_the_manifest() {
    let folder = project();
    let folder = folder.path();
    let output = peso(folder, &["semantic-ids", "."]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("10 of 400 items have no vector in image"));
    let (place, ids) = (index(folder), fs::read(index(folder)).unwrap());
    let sources = Manifest::of(&place).unwrap().unwrap().sources;
    assert_eq!(sources.iter().map(|source| source.name.as_deref()).collect::<Vec<_>>(), [Some("text"), Some("image")]);
    assert!(sources[1].sha256.is_some());
    edit(folder, "name: \"image\", ", "");
    assert_eq!((index(folder), fs::read(&place).unwrap()), (place.clone(), ids.clone()));
    // No word of training: the ids are there.
    assert!(peso(folder, &["semantic-ids", "."]).stderr.is_empty());
    edit(folder, "name: \"text\", ", "name: \"words\", ");
    assert_eq!(
        compared(folder).0.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(),
        ["words", "image.npy"]
    );
    assert_eq!(fs::read(&place).unwrap(), ids);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = project();
    let folder = folder.path();
    edit(folder, "name: \"image\"", "name: \"text\"");
    assert!(refused(folder, &["semantic-ids", "."]).contains("two sources have the same name"));
    edit(folder, "(name: \"text\", source: Words(64)),", "");
    assert!(refused(folder, &["semantic-ids", ".", "--modalities"]).contains("one source, which agrees with itself"));
    // Alone it has to have a vector of every item.
    assert!(refused(folder, &["semantic-ids", "."]).contains("has no row"));
    // Without its ids a matrix has the wrong number of rows.
    fs::remove_file(folder.join("data/image.ids.txt")).unwrap();
    assert!(refused(folder, &["semantic-ids", "."]).contains("390 rows for 400 items"));
}
