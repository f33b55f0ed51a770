// Wide tables scroll by themselves. With a tab stop they can be scrolled from the keyboard, too.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset .tabbed-content")) {
    table.tabIndex = 0;
  }
});
