//! Letters on screen that the window's own fonts lack are drawn in fonts of this machine, found when a text needs them; what no
//! font has is told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui;
use egui::epaint::text::InsertFontFamily;
use egui::{FallbackRequest, FontData, FontFamily, FontInsert, FontPriority, FontProvider};

use super::theme;
use crate::plot::fallback::{self, Found};

/// The fonts of this machine, for letters that the window's fonts lack.
#[derive(Debug, Default)]
pub(crate) struct MachineFonts {
    missing: Mutex<Missing>,
}

/// Letters that no font has.
#[derive(Debug, Default)]
struct Missing {
    all: BTreeSet<char>,
    told: usize,
}

impl MachineFonts {
    /// Lets a context ask them. Which there are is read in the background meanwhile: a letter is asked for while a picture is drawn.
    pub(crate) fn install(ctx: &egui::Context) -> Arc<Self> {
        // Without a thread they are read when they are asked for.
        let _ = std::thread::Builder::new().name("read fonts".to_owned()).spawn(fallback::prepare);
        let fonts = Arc::new(Self::default());
        ctx.add_font_provider(Arc::clone(&fonts) as Arc<dyn FontProvider>);
        fonts
    }

    /// What is to be told of letters that no font has; nothing where that was told already.
    pub(crate) fn news(&self) -> Option<String> {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.all.len() == missing.told {
            return None;
        }
        missing.told = missing.all.len();
        Some(format!(
            "Names on screen have characters that no font of this machine has: {}",
            fallback::listed(&missing.all)
        ))
    }
}

impl FontProvider for MachineFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let letter = request.cluster.chars().next()?;
        let Found { faces, missing } = fallback::faces([letter]);
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).all.extend(missing);
        let face = faces.into_iter().next()?;
        let behind = |family| InsertFontFamily { family, priority: FontPriority::Lowest };
        Some(FontInsert {
            name: format!("{} ({})", face.family, face.index),
            data: FontData::from_blob(Arc::clone(&face.data) as _, face.index),
            families: [FontFamily::Proportional, FontFamily::Monospace, theme::semi_bold()].map(behind).to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_told_once() {
        let fonts = MachineFonts::default();
        assert_eq!(fonts.news(), None);
        let asked = FallbackRequest { cluster: "\u{378}", family: &FontFamily::Proportional };
        assert!(fonts.font_for(&asked).is_none());
        let told = fonts.news().unwrap();
        assert!(told.ends_with("no font of this machine has: U+0378"), "{told}");
        assert_eq!(fonts.news(), None);
    }
}
