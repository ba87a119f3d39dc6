// Calls of the API from its description. Without this file the page shows how to call from the
// command line; what it adds is hidden until it runs.
"use strict";

const token = document.getElementById("token");
for (const part of document.querySelectorAll("[data-token], [data-try]")) part.hidden = false;

for (const part of document.querySelectorAll("[data-try]")) {
  const [path, body, button, answer] = ["input", "textarea", "button", "pre"].map((tag) => part.querySelector(tag));
  button.addEventListener("click", async () => {
    const headers = {};
    if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
    if (body) headers["Content-Type"] = "application/json";
    answer.hidden = false;
    answer.textContent = part.dataset.sending;
    button.disabled = true;
    try {
      const response = await fetch(path.value, {
        method: part.dataset.try, headers, body: body ? body.value : undefined, credentials: "omit",
      });
      const text = await response.text();
      let shown = text;
      try {
        const json = JSON.parse(text);
        shown = JSON.stringify(json, null, 2);
        if (json.access_token) token.value = json.access_token;
      } catch { /* not JSON: shown as it is */ }
      answer.textContent = `${response.status} ${response.statusText}\n\n${shown}`.trim();
    } catch {
      answer.textContent = part.dataset.failed;
    }
    button.disabled = false;
  });
}
