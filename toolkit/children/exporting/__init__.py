"""Experiments for children as files: a page that stands alone, or files for PsychoPy or Lookit."""
