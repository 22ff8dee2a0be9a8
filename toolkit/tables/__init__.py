"""Tables of answers, whoever wrote them: how they are read, checked and named."""
