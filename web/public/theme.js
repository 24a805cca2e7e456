// The theme, before the page is painted: the one that was chosen, else the system's.
(function () {
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  window.magpieTheme = function () {
    var chosen = null;
    try {
      chosen = localStorage.getItem('magpie.theme');
    } catch (e) {
      // A browser that keeps nothing.
    }
    document.documentElement.dataset.theme =
      chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
  };
  dark.addEventListener('change', window.magpieTheme);
  window.magpieTheme();
})();
