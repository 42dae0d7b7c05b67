// Runs before the first paint, so that a chosen theme and language do not flash.
(function () {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem('antiphon.theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    const language = localStorage.getItem('antiphon.language') || navigator.language;
    root.lang = /^zh/i.test(language) ? 'zh-CN' : 'en';
  } catch { /* storage is switched off: the system's theme and English */ }
})();
