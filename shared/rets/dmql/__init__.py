"""DMQL2 and DMQL, the query languages of RETS (RETS 1.7.2 §7.7): parsed, printed, built, evaluated, made SQL."""
