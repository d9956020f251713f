"""A SOAP service of another vendor for tests: its description, and how a workspace declares it."""

from pathlib import Path

WSDL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:example:payments"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" name="Ledger"
  xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" targetNamespace="urn:example:payments">
 <types><schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:payments"
   elementFormDefault="qualified">
  <element name="listPayments"><complexType><sequence>
    <element name="fiscalYear" type="string"/></sequence></complexType></element>
  <element name="listPaymentsResponse"><complexType><sequence>
    <element name="amount" type="int" maxOccurs="unbounded"/></sequence></complexType></element>
 </schema></types>
 <message name="in"><part name="parameters" element="t:listPayments"/></message>
 <message name="out"><part name="parameters" element="t:listPaymentsResponse"/></message>
 <portType name="Ledger"><operation name="listPayments">
  <input message="t:in"/><output message="t:out"/></operation></portType>
 <binding name="B11" type="t:Ledger">
  <soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
  <operation name="listPayments"><soap:operation soapAction="urn:list"/>
   <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
 </binding>
 <binding name="B12" type="t:Ledger">
  <soap12:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
  <operation name="listPayments"><soap12:operation soapAction="urn:list"/>
   <input><soap12:body use="literal"/></input><output><soap12:body use="literal"/></output>
  </operation>
 </binding>
 <service name="LedgerService">
  <port name="P11" binding="t:B11"><soap:address location="http://vendor.invalid/a"/></port>
  <port name="P12" binding="t:B12"><soap12:address location="http://vendor.invalid/b"/></port>
 </service>
</definitions>
"""
_SERVICE = """  ledger:
    name: 納付の一覧（SOAP）
    kind: soap
    base: "http://127.0.0.1:{port}/soap"
    versions:
      v1:
        document: interfaces/ledger-v1.wsdl
        operations:
          listPayments:
            path: /ledger
            request: [fiscal_year]
            answer: {{layout: collection-payments, version: "1"}}
"""


def declare_ledger(folder: Path, port: int) -> None:
    """Write into a workspace that collection offers it at a port of this machine, to arrears."""
    (folder / "interfaces/ledger-v1.wsdl").write_text(WSDL, encoding="utf-8")
    file = folder / "systems/collection.yaml"
    text = file.read_text("utf-8") + _SERVICE.format(port=port)
    file.write_text(text, encoding="utf-8")
    link = (folder / "calls/arrears-payments.yaml").read_text("utf-8")
    link = link.replace("link: arrears-payments", "link: arrears-ledger")
    link = link.replace("service: payments", "service: ledger")
    link = link.replace("[searchPayments]", "[listPayments]")
    (folder / "calls/arrears-ledger.yaml").write_text(link, encoding="utf-8")
