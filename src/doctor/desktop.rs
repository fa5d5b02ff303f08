//! What the window needs of the desktop: a display, file dialogs, notifications.

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(not(target_os = "linux")) {
        return vec![Check::fine("display", "the system's own")];
    }
    let Some(display) = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].into_iter().find(is_set) else {
        let advice = "the window needs a display, or X11 forwarding (`ssh -X`); every command works without one";
        return vec![Check::note("display", "none: neither DISPLAY nor WAYLAND_DISPLAY is set", advice)];
    };
    let mut checks = vec![Check::fine("display", format!("{display} is set"))];
    checks.extend(services());
    checks
}

/// Names on the session bus, what they are for, and what to do without.
#[cfg(target_os = "linux")]
const SERVICES: [(&str, &str, &str); 2] = [
    (
        "file dialogs",
        "org.freedesktop.portal.Desktop",
        "paths are typed instead; install xdg-desktop-portal and its part for your desktop",
    ),
    (
        "notifications",
        "org.freedesktop.Notifications",
        "the end of a queue is told in the window alone; a command of the settings can tell it too",
    ),
];

#[cfg(target_os = "linux")]
fn services() -> Vec<Check> {
    use std::time::Duration;

    // A bus that does not answer holds a call for 25 seconds.
    match super::in_time(Duration::from_millis(1500), names_on_the_bus) {
        Some(Ok(names)) => SERVICES
            .iter()
            .map(|(what, name, advice)| match names.iter().any(|known| known == name) {
                true => Check::fine(*what, format!("{name} is there")),
                false => Check::note(*what, format!("no {name} on the session bus"), *advice),
            })
            .collect(),
        answer => {
            let why = answer.and_then(Result::err).unwrap_or_else(|| "it does not answer in time".to_owned());
            let advice = "file dialogs and notifications need it: start the desktop's session, or type paths";
            vec![Check::note("session bus", why, advice)]
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn services() -> Vec<Check> {
    Vec::new()
}

/// Names that are owned on the session bus, or would be started.
#[cfg(target_os = "linux")]
fn names_on_the_bus() -> Result<Vec<String>, String> {
    const BUS: &str = "org.freedesktop.DBus";
    let asked = || -> zbus::Result<Vec<String>> {
        let bus = zbus::blocking::Connection::session()?;
        let mut names = Vec::new();
        for method in ["ListNames", "ListActivatableNames"] {
            let answer = bus.call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), method, &())?;
            names.extend(answer.body().deserialize::<Vec<String>>()?);
        }
        Ok(names)
    };
    asked().map_err(|error| format!("it cannot be reached: {}", crate::error::in_words(error.to_string())))
}
