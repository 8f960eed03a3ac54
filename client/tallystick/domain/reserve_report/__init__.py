"""The monthly reserve report: what the chain says, what the issuer declares, and the document made of the two.

`facts` are read from the chain, alike by the issuer who builds a report and by the stranger who verifies it; `declared`
is what no chain can show. Every other figure of the document is computed from these two by pure functions, so that to
verify a report is to build it again and compare.
"""
