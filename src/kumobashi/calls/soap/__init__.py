"""SOAP as another face of calls: envelopes, attachments, WS-Security, faults, WSDL.

A system that speaks SOAP asks its own gateway as it would ask the service. What it sends is read
strictly before it goes on, and what comes back before it is given: SOAP 1.1 and 1.2 (W3C), SOAP
Messages with Attachments (W3C note of 2000-12-11), WS-Security 1.1 X.509 Certificate Token Profile
(OASIS 2006), held to what WS-I Basic Profile 1.2 permits.
"""
