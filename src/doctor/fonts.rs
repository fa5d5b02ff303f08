//! Whether names in the scripts of the world can be drawn.

use std::collections::BTreeSet;

use super::Check;
use crate::plot::fallback::{self, Found};
use crate::plot::font;
use crate::text::joined;

/// Scripts of names, each with letters that a font of it has.
const SCRIPTS: [(&str, &str); 10] = [
    ("Latin", "aßéŁő"),
    ("Cyrillic", "джы"),
    ("Greek", "αώ"),
    ("Arabic", "عبد"),
    ("Hebrew", "אבג"),
    ("Devanagari", "नमक"),
    ("Thai", "กขค"),
    ("Chinese", "汉字电"),
    ("Japanese", "ひカ"),
    ("Korean", "한글"),
];

pub(super) fn checks() -> Vec<Check> {
    let count = fallback::count();
    let machine = match count {
        0 => Check::note("of this machine", "none", "install fonts: names beyond Latin, Cyrillic and Greek need them"),
        count => Check::fine("of this machine", format!("{count} faces")),
    };
    vec![machine, scripts()]
}

fn scripts() -> Check {
    let (mut drawn, mut lacking, mut families) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (script, letters) in SCRIPTS {
        let Found { faces, missing } = font::fallbacks(letters);
        families.extend(faces.iter().map(|face| face.family.clone()));
        if missing.is_empty() { &mut drawn } else { &mut lacking }.push(script.to_owned());
    }
    let families: Vec<String> = families.into_iter().collect();
    let from = if families.is_empty() { String::new() } else { format!(" (also from {})", families.join(", ")) };
    let found = format!("{}{from}", drawn.join(", "));
    if lacking.is_empty() {
        return Check::fine("scripts", found);
    }
    let lacking = joined(&lacking, "and");
    let advice = "install fonts that have them, such as Noto Sans and Noto Sans CJK; on Debian fonts-noto-core and fonts-noto-cjk";
    Check::note("scripts", format!("{found}; names in {lacking} cannot be drawn"), advice)
}
