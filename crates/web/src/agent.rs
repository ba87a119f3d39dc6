//! What a `User-Agent` says about a device, in the few words people know it by. Clients say many
//! things; this only tells one's own devices apart, and decides nothing.

use tenantry_core::Locale;

use crate::i18n;

/// A device in words, such as `Firefox on Linux`; `None` where nothing is known of it.
pub(crate) fn device(locale: Locale, agent: &str) -> Option<String> {
    match client_and_system(agent) {
        (Some(client), Some(system)) => {
            let text = i18n::fill(i18n::of(locale).account.session_on, "client", client);
            Some(i18n::fill(&text, "system", system))
        }
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

/// The name of a client and of the system it runs on, as far as they are known.
fn client_and_system(agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    // The order matters: most browsers say that they are others too.
    let client = first(
        agent,
        &[
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("Vivaldi/", "Vivaldi"),
            ("SamsungBrowser/", "Samsung Internet"),
            ("Firefox/", "Firefox"),
            ("FxiOS/", "Firefox"),
            ("CriOS/", "Chrome"),
            ("Chromium/", "Chromium"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
            ("curl/", "curl"),
            ("Wget/", "Wget"),
            ("PostmanRuntime/", "Postman"),
            ("python-requests/", "Python"),
        ],
    );
    let system = first(
        agent,
        &[
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Android", "Android"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("CrOS", "ChromeOS"),
            ("Linux", "Linux"),
        ],
    );
    (client, system)
}

fn first(agent: &str, names: &[(&str, &'static str)]) -> Option<&'static str> {
    let found = names.iter().find(|(mark, _)| agent.contains(mark));
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_clients_are_known() {
        for (agent, client, system) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox",
                "Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari",
                "macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
        ] {
            assert_eq!(client_and_system(agent), (Some(client), Some(system)));
        }
        assert_eq!(client_and_system("curl/8.14.1"), (Some("curl"), None));
        assert_eq!(client_and_system("till-pos <b>"), (None, None));
    }

    #[test]
    fn a_device_is_told_in_the_readers_language() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        let told = |locale, agent| device(locale, agent);
        assert_eq!(
            told(Locale::En, firefox).as_deref(),
            Some("Firefox on Linux")
        );
        assert_eq!(
            told(Locale::De, firefox).as_deref(),
            Some("Firefox unter Linux")
        );
        assert_eq!(told(Locale::De, "curl/8").as_deref(), Some("curl"));
        assert_eq!(told(Locale::En, "till-pos <b>"), None);
        assert_eq!(told(Locale::En, ""), None);
    }
}
