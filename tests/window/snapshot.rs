//! What the window shows, compared with files in `snapshots`: as pictures where their pixels say something, and as the
//! text of the accessibility tree, which says what stands where in which state.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use eframe::egui;
use egui::accesskit::{Role, Toggled};
use egui::{Pos2, Rect, Theme};
use egui_kittest::kittest::{NodeT, Queryable as _};
use egui_kittest::{Harness, Node, SnapshotOptions, SnapshotResults, try_image_snapshot_options};
use peso_workbench::app::Workbench;

/// What of the window is compared. What lies outside changes no snapshot.
#[derive(Clone, Copy)]
pub enum Part {
    Window,
    /// The views in tabs, without the bar above them and the experiments and runs beside them.
    View,
    /// The dialog in front of the window.
    Dialog,
}

/// Compares a part of the window with its picture; what changes from run to run is left out.
pub fn picture(
    pictures: &mut SnapshotResults,
    window: &mut Harness<'_, Workbench>,
    name: &str,
    theme: Theme,
    part: Part,
) {
    window.remove_cursor();
    window.run();
    let mut masks = around(whole(window), part.rect(window));
    masks.extend(shown(&window.root(), part.rect(window)).filter(|node| is_changing(node)).map(|node| node.rect()));
    masks.into_iter().for_each(|rect| window.mask(rect));
    let theme = if theme == Theme::Dark { "dark" } else { "light" };
    // Edges of glyphs, which another version of the driver may round otherwise.
    compare(pictures, window, &format!("{name}_{theme}"), 60);
}

/// Compares the accessibility tree of a part of the window with its text.
pub fn text(window: &mut Harness<'_, Workbench>, name: &str, part: Part) {
    window.remove_cursor();
    window.run();
    let lines: String = shown(&part.root(window), part.rect(window)).map(|node| line(&node)).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, lines));
}

impl Part {
    fn rect(self, window: &Harness<'_, Workbench>) -> Rect {
        match self {
            Self::Window => whole(window),
            Self::View => {
                let tab = window.query_all_by_label("Live").next().expect("the tabs are shown").rect();
                Rect::from_min_max(tab.min - egui::Vec2::new(14.0, 10.0), whole(window).max)
            }
            Self::Dialog => {
                let root = self.root(window);
                let inside = root.children_recursive().filter(|node| node.accesskit_node().has_bounds());
                // The ground behind the dialog spans the window.
                let widgets = inside.map(|node| node.rect()).filter(|rect| rect.size() != whole(window).size());
                let dialog = widgets.reduce(Rect::union).expect("a dialog has widgets").expand(20.0);
                // A list in it may go on below what can be seen.
                dialog.intersect(whole(window))
            }
        }
    }

    /// The node below which the part lies.
    fn root<'w>(self, window: &'w Harness<'_, Workbench>) -> Node<'w> {
        match self {
            Self::Window | Self::View => window.root(),
            Self::Dialog => window.get_by_role(Role::Dialog),
        }
    }
}

fn whole(window: &Harness<'_, Workbench>) -> Rect {
    window.ctx.content_rect()
}

/// What lies in `outer` but not in `inner`.
fn around(outer: Rect, inner: Rect) -> Vec<Rect> {
    let rect = |left: f32, top: f32, right: f32, bottom: f32| {
        Rect::from_min_max(Pos2::new(left, top), Pos2::new(right, bottom))
    };
    let sides = [
        rect(outer.left(), outer.top(), inner.left(), outer.bottom()),
        rect(inner.left(), outer.top(), outer.right(), inner.top()),
        rect(inner.right(), inner.top(), outer.right(), outer.bottom()),
        rect(inner.left(), inner.bottom(), inner.right(), outer.bottom()),
    ];
    sides.into_iter().filter(Rect::is_positive).collect()
}

/// The nodes below `root` that say something and whose middle lies in `part`, in the order of the tree.
fn shown<'w>(root: &Node<'w>, part: Rect) -> impl Iterator<Item = Node<'w>> {
    let nodes: Vec<Node<'w>> = root.children_recursive().collect();
    nodes.into_iter().filter(move |node| {
        let accesskit = node.accesskit_node();
        let says = [accesskit.label(), accesskit.value()].into_iter().flatten().any(|said| !said.is_empty());
        // The runs of a text repeat what its label says.
        let repeats = accesskit.role() == Role::TextRun;
        says && !repeats && accesskit.has_bounds() && part.contains(node.rect().center())
    })
}

/// Role, name, value and state of a node, and its bounds to ten points.
fn line(node: &Node<'_>) -> String {
    let accesskit = node.accesskit_node();
    let mut line = format!("{:?}", accesskit.role());
    let name = accesskit.label();
    let value = accesskit.value().filter(|value| Some(value) != name.as_ref());
    for (sign, said) in [("", name), ("= ", value)] {
        if let Some(said) = said {
            let _ = write!(line, " {sign}{:?}", unchanging(&said));
        }
    }
    if let Some(number) = accesskit.numeric_value() {
        let _ = write!(line, " = {}", (number * 1e4).round() / 1e4);
    }
    match accesskit.toggled() {
        Some(Toggled::True) => line += ", on",
        Some(Toggled::False) => line += ", off",
        Some(Toggled::Mixed) => line += ", mixed",
        None => {}
    }
    if accesskit.is_disabled() {
        line += ", disabled";
    }
    let tens = |length: f32| (length / 10.0).round() * 10.0;
    let rect = node.rect();
    let [left, top, width, height] = [rect.left(), rect.top(), rect.width(), rect.height()].map(tens);
    format!("{line} at {left}, {top}: {width} x {height}\n")
}

fn is_changing(node: &Node<'_>) -> bool {
    let accesskit = node.accesskit_node();
    let said = [accesskit.label(), accesskit.value()];
    said.into_iter().flatten().any(|said| said.contains(&temporary()) || is_time(&said))
}

/// The folder that the folders of the tests lie in.
fn temporary() -> String {
    format!("{}/", std::env::temp_dir().display())
}

/// A text without what changes from run to run, or with settings that nobody sees: folders, times of day and hashes.
fn unchanging(text: &str) -> String {
    let temporary = temporary();
    let mut parts = text.split(&temporary);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find('/').unwrap_or(part.len());
        said = said + "FOLDER" + &part[end..];
    }
    if is_time(&said) { "TIME".to_owned() } else { said.split(' ').map(without_hash).collect::<Vec<_>>().join(" ") }
}

/// A time of day: `14:03:59`.
fn is_time(text: &str) -> bool {
    let fits = |index, byte: u8| if index % 3 == 2 { byte == b':' } else { byte.is_ascii_digit() };
    text.len() == 8 && text.bytes().enumerate().all(|(index, byte)| fits(index, byte))
}

fn without_hash(word: &str) -> String {
    let is_hash = |part: &&str| {
        let [letters, digits] =
            [u8::is_ascii_lowercase, u8::is_ascii_digit].map(|is| part.bytes().any(|byte| is(&byte)));
        part.len() >= 8 && letters && digits && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match word.split(['-', '…']).find(is_hash) {
        Some(hash) => word.replace(hash, "HASH"),
        None => word.to_owned(),
    }
}

/// Levels a channel that pictures are kept with: enough to see any change, few enough to keep the files small.
const LEVELS: u16 = 15;
/// A pixel may be one level off, which is a squared YIQ distance of about 146.
const ONE_LEVEL: f32 = 200.0;
const FOLDER: &str = "tests/window/snapshots";

/// Compares what is drawn with a picture; `edges` pixels may be further off than one level.
pub fn compare<State>(pictures: &mut SnapshotResults, window: &mut Harness<'_, State>, name: &str, edges: usize) {
    let mut image = window.render().unwrap();
    for value in image.iter_mut() {
        let level = (u16::from(*value) * LEVELS + 127) / 255;
        *value = (level * 255 / LEVELS) as u8;
    }
    let file = Path::new(FOLDER).join(format!("{name}.png"));
    let before = std::fs::read(&file).ok();
    let options = SnapshotOptions::new().output_path(FOLDER).threshold(ONE_LEVEL).max_failed_pixels(edges);
    pictures.add(try_image_snapshot_options(&image, name, &options));
    // What was recorded just now takes a fifth of the room when it is written this way.
    if std::fs::read(&file).ok() != before {
        std::fs::write(&file, png(image.width(), image.height(), image.as_raw())).unwrap();
    }
}

/// A picture with a palette, if its colours are few enough for one.
fn png(width: u32, height: u32, rgba: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let palette: Vec<[u8; 4]> = pixels.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let data = if palette.len() <= 256 {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.iter().flat_map(|colour| colour[..3].to_vec()).collect::<Vec<u8>>());
        encoder.set_trns(palette.iter().map(|colour| colour[3]).collect::<Vec<u8>>());
        let index = |pixel| palette.binary_search(pixel).expect("the palette has every pixel's colour") as u8;
        pixels.iter().map(index).collect()
    } else {
        encoder.set_color(png::ColorType::Rgba);
        rgba.to_vec()
    };
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Pictures are kept in every copy of the repository for good: a new one must be worth its room.
#[test]
fn pictures_take_little_room() {
    const MOST: u64 = 3 << 20;
    let mut folders = vec![PathBuf::from("tests")];
    let mut pictures = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Of a comparison that failed: not kept.
            let failed = [".new.png", ".old.png", ".diff.png"].iter().any(|end| path.to_string_lossy().ends_with(end));
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "png") && !failed {
                pictures.push((path.metadata().unwrap().len(), path));
            }
        }
    }
    let together: u64 = pictures.iter().map(|(size, _)| size).sum();
    pictures.sort();
    let largest = &pictures[pictures.len().saturating_sub(5)..];
    assert!(together <= MOST, "{together} bytes instead of at most {MOST}; the largest: {largest:#?}");
}

#[test]
fn what_changes_is_left_out_of_texts() {
    let folder = std::env::temp_dir().join(".tmpA1b2C3/demo/project.ron");
    assert_eq!(unchanging(&format!("Saved {}", folder.display())), "Saved FOLDER/demo/project.ron");
    assert_eq!(unchanging("14:03:59"), "TIME");
    assert_eq!(unchanging("Run peso-s42-0a1b2c3d4e"), "Run peso-s42-HASH");
    assert_eq!(unchanging("1997-11-22 18:00:00"), "1997-11-22 18:00:00");
    assert_eq!(unchanging("Interactions 12345678, seed 42"), "Interactions 12345678, seed 42");
}
