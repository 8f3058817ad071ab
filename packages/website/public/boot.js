// Sets language and theme before the first paint, so that no page shows another one first.
(() => {
  const stored = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const asked = new URLSearchParams(location.search).get("lang") ?? stored("arcrun.language");
  const preferred = navigator.languages.find((name) => /^(en|zh)\b/i.test(name)) ?? "en";
  document.documentElement.lang = /^zh/i.test(asked ?? preferred) ? "zh-Hant" : "en";
  const theme = stored("arcrun.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
