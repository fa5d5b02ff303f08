//! What the model does where the sliders stand: the sample's hits and one user's list.

use eframe::egui;
use egui::{Label, Pos2, Rect, RichText, Sense, Stroke, Ui, Vec2};

use crate::analysis::steer::protocol::{Description, Ends, Hits, ListedItem};
use crate::app::steering::Steering;
use crate::app::theme::{self, space};
use crate::app::widgets;

/// Hit@k of the sample with its interval, and both ends of the step beside it.
pub(super) fn hits(ui: &mut Ui, steering: &Steering, description: &Description) {
    widgets::section(ui, &format!("Hit@{}", description.k)).on_hover_text(HITS_HELP);
    let Some(hits) = &steering.hits else {
        widgets::remark(ui, "Asking the sample");
        return;
    };
    let Hits { users, of, hit, interval, milliseconds, .. } = hits;
    ui.horizontal(|ui| {
        ui.label(RichText::new(format!("{hit:.4}")).text_style(theme::display()));
        let words = format!("{:.4} to {:.4}", interval.low, interval.high);
        widgets::remark(ui, words).on_hover_text("Wilson's 95 % interval");
    });
    bar(ui, hits, steering.ends);
    let so_far =
        if users < of { format!("{users} of {of} test users so far") } else { widgets::counted(*of, "test user") };
    let pending = if steering.is_settled() { format!(", {milliseconds:.0} ms") } else { " …".to_owned() };
    widgets::remark(ui, format!("{so_far}{pending}"));
    if let Some(Ends { before, after }) = steering.ends {
        widgets::remark(ui, format!("Before the stage {before:.4}, after it {after:.4}"));
    }
    if let Some(refused) = &steering.refused {
        ui.colored_label(theme::tokens(ui).error, widgets::sentence(refused));
    }
}

const HEIGHT: f32 = 18.0;

/// The interval as a bar, the hits as a dot, both ends as lines.
fn bar(ui: &mut Ui, hits: &Hits, ends: Option<Ends>) {
    let (at, response) =
        ui.allocate_exact_size(Vec2::new((ui.available_width() - space::M).max(0.0), HEIGHT), Sense::hover());
    let tokens = theme::tokens(ui);
    let most = ends.map_or(0.0, |ends| ends.before.max(ends.after)).max(hits.interval.high) * 1.1;
    let x = |hit: f64| egui::lerp(at.left()..=at.right(), (hit / most.max(f64::MIN_POSITIVE)) as f32);
    let painter = ui.painter();
    painter.hline(at.x_range(), at.center().y, Stroke::new(1.0, tokens.border));
    let span =
        Rect::from_x_y_ranges(x(hits.interval.low)..=x(hits.interval.high), at.center().y - 3.0..=at.center().y + 3.0);
    painter.rect_filled(span, 2.0, tokens.accent.gamma_multiply(0.35));
    for end in ends.into_iter().flat_map(|ends| [ends.before, ends.after]) {
        painter.vline(x(end), at.y_range(), Stroke::new(1.5, tokens.muted));
    }
    painter.circle_filled(Pos2::new(x(hits.hit), at.center().y), 5.0, tokens.accent);
    response.on_hover_text(
        "The dot is the share of hits here, the band its interval, the lines the state before and after",
    );
}

/// One user's top 10, with where each item stood before the stage.
pub(super) fn list(ui: &mut Ui, steering: &Steering) {
    let Some(list) = &steering.list else { return };
    let history = format!("After {}", list.history.join(" · "));
    ui.add(Label::new(RichText::new(&history).small().color(theme::tokens(ui).muted)).truncate())
        .on_hover_text(&history);
    for (item, place) in list.items.iter().zip(1..) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            let (mark, colour) = moved(ui, item, place);
            ui.allocate_ui(Vec2::new(MARK, ROW), |ui| {
                ui.set_width(MARK);
                ui.label(RichText::new(format!("{place} {mark}")).small().color(colour));
            });
            let title = item.title.as_ref().unwrap_or(&item.id);
            let words = if item.target { format!("✓ {title}") } else { title.clone() };
            let text = RichText::new(&words);
            let text = if item.target { text.family(theme::semi_bold()) } else { text };
            ui.add(Label::new(text).truncate()).on_hover_text(format!("{title}\n{}", item.id));
        });
    }
    if !list.items.iter().any(|item| item.target) {
        let missed = format!("✓ {} is not among them", list.target);
        ui.add(Label::new(RichText::new(&missed).small().color(theme::tokens(ui).muted)).truncate())
            .on_hover_text("What the user really went for next");
    }
    widgets::remark(ui, format!("Answered in {:.0} ms", list.milliseconds));
}

const MARK: f32 = 48.0;
const ROW: f32 = 18.0;

/// How far an item has moved since the state before the stage.
fn moved(ui: &Ui, item: &ListedItem, place: usize) -> (String, egui::Color32) {
    let tokens = theme::tokens(ui);
    match item.before {
        None => ("new".to_owned(), tokens.accent),
        Some(before) if before > place => (format!("▲{}", before - place), tokens.accent),
        Some(before) if before < place => (format!("▼{}", place - before), tokens.warning),
        Some(_) => (String::new(), tokens.muted),
    }
}

const HITS_HELP: &str = "Share of a sample of the stage's test users whose next item is in the list that they get";
