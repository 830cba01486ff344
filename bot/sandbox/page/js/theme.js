// Light, dark, or as the system has it. The choice is kept in this browser.

const KEY = "hedgehog-theme";
export const THEMES = ["auto", "light", "dark"];

export function theme() {
  try {
    const kept = localStorage.getItem(KEY);
    return THEMES.includes(kept) ? kept : "auto";
  } catch {
    return "auto";
  }
}

export function setTheme(choice) {
  document.documentElement.dataset.theme = choice;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Storage may be shut (private windows); the choice then lasts as long as the page.
  }
}
