//! Where the window is on the desktop: kept for the next start, and on the screen at this one.

use eframe::egui;
use egui::{Context, Pos2, Vec2, ViewportCommand, ViewportInfo};

use super::settings::{Settings, WindowPlace};

/// Seconds that a window stays before its place is written down: while it is drawn larger it has many.
const STILL: f64 = 1.0;

/// What is known of the window's place.
#[derive(Debug, Default)]
pub(crate) struct PlaceWatch {
    /// Whether it was held against the screen, which is known a little after the start.
    fitted: bool,
    /// When it changed last and was not written down yet, in seconds of the window's clock.
    changed: Option<f64>,
}

impl PlaceWatch {
    /// Takes note of where the window is; whether the settings are to be written down for it.
    pub(crate) fn look(&mut self, ctx: &Context, settings: &mut Settings) -> bool {
        let (viewport, now) = ctx.input(|input| (input.viewport().clone(), input.time));
        // The viewport speaks of points of the interface; those of the desktop are not zoomed.
        let zoom = ctx.zoom_factor();
        let Some(place) = place(&viewport, zoom, settings.window) else { return false };
        if let (false, Some(screen)) = (self.fitted, viewport.monitor_size) {
            self.fitted = true;
            fit(place, (screen * zoom).into(), zoom).into_iter().for_each(|command| ctx.send_viewport_cmd(command));
        }
        if settings.window != Some(place) {
            settings.window = Some(place);
            self.changed = Some(now);
        }
        let Some(changed) = self.changed else { return false };
        if now - changed < STILL {
            ctx.request_repaint_after_secs(STILL as f32);
            return false;
        }
        self.changed = None;
        true
    }
}

/// Where the window is; none where the desktop does not tell, or it is not to be seen. A maximised one keeps the size that
/// it goes back to.
fn place(viewport: &ViewportInfo, zoom: f32, before: Option<WindowPlace>) -> Option<WindowPlace> {
    let inside = viewport.inner_rect.filter(|_| viewport.minimized != Some(true))?;
    let maximised = viewport.maximized == Some(true) || viewport.fullscreen == Some(true);
    if maximised {
        return Some(WindowPlace { maximised, ..before.unwrap_or(WindowPlace::AT_FIRST) });
    }
    let position = viewport.outer_rect.map(|outside| (outside.min.to_vec2() * zoom).into());
    Some(WindowPlace { position, size: (inside.size() * zoom).into(), maximised })
}

/// What brings a window that reaches beyond the screen back onto it.
fn fit(place: WindowPlace, screen: [f32; 2], zoom: f32) -> Vec<ViewportCommand> {
    let there = place.on(screen);
    if place.maximised || there == place {
        return Vec::new();
    }
    let size = ViewportCommand::InnerSize(Vec2::from(there.size) / zoom);
    let position = there.position.map(|position| ViewportCommand::OuterPosition(Pos2::from(position) / zoom));
    [size].into_iter().chain(position).collect()
}

#[cfg(test)]
mod tests {
    use egui::Rect;

    use super::*;

    #[test]
    fn a_place_is_in_points_of_the_desktop_and_a_maximised_window_keeps_its_size() {
        let rect = |left: f32, top: f32, width: f32, height: f32| {
            Some(Rect::from_min_size(Pos2::new(left, top), Vec2::new(width, height)))
        };
        let seen = ViewportInfo {
            inner_rect: rect(10.0, 30.0, 800.0, 500.0),
            outer_rect: rect(8.0, 4.0, 804.0, 530.0),
            ..ViewportInfo::default()
        };
        let small = WindowPlace { position: Some([12.0, 6.0]), size: [1200.0, 750.0], maximised: false };
        assert_eq!(place(&seen, 1.5, None), Some(small));
        let full = ViewportInfo { maximized: Some(true), inner_rect: rect(0.0, 0.0, 1920.0, 1080.0), ..seen.clone() };
        assert_eq!(place(&full, 1.0, Some(small)), Some(WindowPlace { maximised: true, ..small }));
        assert_eq!(place(&ViewportInfo { minimized: Some(true), ..seen }, 1.0, None), None);
    }

    #[test]
    fn a_window_larger_than_the_screen_is_made_to_fit_it() {
        let commands = |place: WindowPlace| fit(place, [1280.0, 800.0], 1.0);
        assert_eq!(commands(WindowPlace::AT_FIRST), [ViewportCommand::InnerSize(Vec2::new(1256.0, 712.0))]);
        assert_eq!(commands(WindowPlace { size: [1000.0, 700.0], ..WindowPlace::AT_FIRST }), []);
    }
}
