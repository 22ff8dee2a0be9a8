// The search and the parts of the list of pages have names; what scrolls is reached with the keyboard.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search")
for (const part of document.querySelectorAll(".md-nav[aria-labelledby]")) {
  part.setAttribute("aria-label", part.querySelector(".md-nav__title").textContent.trim())
  part.removeAttribute("aria-labelledby")
}
// Wide tables and buttons for copying are put in after this script.
new MutationObserver(() => {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
    one.tabIndex = 0
  }
  for (const one of document.querySelectorAll(".md-code__nav:not([role])")) {
    one.setAttribute("role", "group")
  }
}).observe(document.body, { childList: true, subtree: true })
