# Fits counts.csv with lme4 and writes lme4.json: Rscript make_lme4.R
# "Tight" as far as lme4 goes: small PIRLS tolerance, restarted optimiser, and standard errors
# from a numerical Hessian of lme4's own deviance function.
library(lme4); library(numDeriv); library(jsonlite)
d <- read.csv("counts.csv", stringsAsFactors = TRUE)
control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12, optCtrl = list(rhoend = 1e-9, maxfun = 1e5))
logistic <- function(formula) {
  fit <- glmer(formula, d, binomial, control = control)
  for (i in 1:2) fit <- update(fit, start = list(theta = getME(fit, "theta"), fixef = fixef(fit)))
  deviance <- update(fit, devFunOnly = TRUE)
  at <- c(getME(fit, "theta"), fixef(fit))
  p <- length(fixef(fit)); q <- length(at) - p
  h <- hessian(deviance, at)
  se <- sqrt(diag(2 * solve(h)))[q + 1:p]
  names(se) <- names(fixef(fit))
  list(formula = deparse1(formula), fixef = as.list(fixef(fit)), se = as.list(se),
       sds = as.data.frame(VarCorr(fit))[c("grp", "var1", "var2", "sdcor")],
       logLik = as.numeric(logLik(fit)), df = attr(logLik(fit), "df"))
}
linear <- function(formula, REML) {
  fit <- lmer(formula, d, REML = REML, control = lmerControl(optCtrl = list(rhoend = 1e-9)))
  list(formula = deparse1(formula), fixef = as.list(fixef(fit)),
       se = as.list(sqrt(diag(as.matrix(vcov(fit))))), sds = as.data.frame(VarCorr(fit))[c("grp", "var1", "var2", "sdcor")],
       logLik = as.numeric(logLik(fit)), df = attr(logLik(fit), "df"))
}
out <- list(
  intercepts = logistic(cbind(n_correct, n_wrong) ~ bilingual + (1 | seed) + (1 | word)),
  slope = logistic(cbind(n_correct, n_wrong) ~ bilingual + (1 | seed) + (1 + bilingual | word)),
  chance = logistic(cbind(n_correct, n_wrong) ~ 1 + (1 | seed) + (1 | word) + (1 | distractor)),
  everything = logistic(cbind(n_correct, n_wrong) ~ bilingual + (1 | seed) + (1 + bilingual | word) + (1 | distractor)),
  reml = linear(y ~ bilingual + (1 | seed) + (1 + bilingual | word), TRUE),
  ml = linear(y ~ bilingual + (1 | seed) + (1 + bilingual | word), FALSE),
  meta = list(R = R.version.string, lme4 = as.character(packageVersion("lme4"))))
write(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = TRUE), "lme4.json")
